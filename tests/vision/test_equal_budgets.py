"""The standard run compares an MLP and a CNN that have as many weights and as much compute."""

import pytest
import torch
import yaml

from torch_nn.flops import forward_flops
from torch_nn.parameters import parameter_count
from vision.model import build
from vision.settings import Model, Section


def test_mlp_and_cnn_differ_in_nothing_but_their_architecture(repository):
    config = yaml.safe_load((repository / "config" / "config.yaml").read_text())["vision"]
    section = Section.model_validate(config)
    weights, compute = {}, {}
    for kind in ("mlp", "cnn"):
        own = getattr(section, kind)
        settings = own.model_dump(include={*Model.model_fields})
        net = build(Model(model=kind, **settings), (3, 32, 32), 10)
        weights[kind] = parameter_count(net)
        compute[kind] = own.epochs * forward_flops(net, torch.zeros(1, 3, 32, 32))
    assert weights["cnn"] == pytest.approx(weights["mlp"], rel=0.02)
    assert compute["cnn"] == pytest.approx(compute["mlp"], rel=0.02)
    same = {"batch_size", "flips", "crop", "cutout", "label_smoothing", "lr", "decay", "warmup"}
    recipes = [getattr(section, kind).model_dump(include=same) for kind in ("mlp", "cnn")]
    assert recipes[0] == recipes[1]
