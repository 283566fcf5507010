"""Dropout from 16 bits per element: share, scale, gradient; where the models drop out."""

import pytest
import torch
from torch import nn

from torch_nn import image_classifier
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.dropout import Dropout
from torch_nn.encoder import FeedForward, LayerShape, Sublayer
from torch_nn.gpt import GPT
from torch_nn.transformer import Transformer


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5, 0.9])
def test_share_and_mean(p):
    torch.manual_seed(0)
    found = Dropout(p)(torch.ones(1000, 999))
    assert (found == 0).float().mean().item() == pytest.approx(p, abs=0.002)
    assert found.mean().item() == pytest.approx(1, abs=0.01)
    assert found.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-4)


def test_elements_are_independent_of_their_neighbours():
    """Four elements share one 64-bit number: none of them tells of another."""
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(4 * 200_000)) > 0).double().view(-1, 4)
    together = torch.corrcoef(kept.T) - torch.eye(4, dtype=torch.float64)
    assert together.abs().max() < 0.01
    assert (kept.mean(0) - 0.5).abs().max() < 0.005


def test_the_gradient_has_the_same_mask_and_eval_is_the_identity():
    x, dropout = torch.randn(7, 5, requires_grad=True), Dropout(0.4)
    y = dropout(x)
    y.sum().backward()
    assert torch.equal(x.grad == 0, y == 0)
    assert dropout.eval()(x) is x and Dropout(0.0)(x) is x and Dropout()(x) is x
    torch.manual_seed(1)
    first = dropout.train()(x)
    torch.manual_seed(1)
    assert torch.equal(first, dropout(x)) and dropout(x.bfloat16()).dtype is torch.bfloat16


def test_p_just_below_1_keeps_a_65536th():
    torch.manual_seed(0)
    y = Dropout(1 - 2**-20)(torch.ones(2**20))
    assert torch.isfinite(y).all() and 0 < (y > 0).sum() < 64
    assert y.max().item() == 2**16


def test_p_must_leave_something():
    with pytest.raises(ValueError, match="p < 1"):
        Dropout(1.0)


class Dropped(nn.Module):
    """In place of a dropout: everything is dropped; `shapes` of what came in."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def forward(self, x):
        self.shapes.append(tuple(x.shape))
        return torch.zeros_like(x)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_a_sublayer_drops_its_branch_and_never_the_residual(pre_norm):
    sublayer = Sublayer(nn.Linear(4, 4), LayerShape(4, 2, 8, 0.25, pre_norm=pre_norm))
    nn.init.normal_(sublayer.norm.weight)
    sublayer.dropout = Dropped()
    x = torch.randn(2, 3, 4)
    found, weights = sublayer(x)
    torch.testing.assert_close(found, x if pre_norm else sublayer.norm(x))
    assert weights is None


# B = 3 rows, T = 5 tokens (target: 4), C = 16 channels, H = 2 heads, d_ff = 24 (GPT: 64).
def layer(name, *attentions, query=5, key=5, d_ff=24):
    """The dropouts of one layer and the shapes that they see."""
    shapes = {f"{name}.feed_forward.dropout": (3, query, 16)}
    shapes[f"{name}.feed_forward.inner.dropout"] = (3, query, d_ff)
    for attention in attentions:
        asked = key if attention == "cross_attention" else query
        shapes[f"{name}.{attention}.dropout"] = (3, query, 16)
        shapes[f"{name}.{attention}.inner.dropout"] = (3, 2, query, asked)
    return shapes


def transformer(pre_norm):
    return (
        Transformer(7, 9, 16, 2, 1, 1, 24, 6, 0.25, pre_norm=pre_norm),
        (torch.randint(7, (3, 5)), torch.randint(9, (3, 4))),
        {"source_positions.dropout": (3, 5, 16), "target_positions.dropout": (3, 4, 16)}
        | layer("encoder.layers.0", "attention")
        | layer("decoder.layers.0", "self_attention", "cross_attention", query=4),
    )


def gpt(positions):
    return (
        GPT(11, 5, 2, 2, 16, dropout=0.25, positions=positions, attention="explicit"),
        (torch.randint(11, (3, 5)),),
        {"positions.dropout": (3, 5, 16)}
        | layer("blocks.layers.0", "attention", d_ff=64)
        | layer("blocks.layers.1", "attention", d_ff=64),
    )


def dna():
    return (
        DNAClassifier(
            5, 3, d_model=16, n_heads=2, n_layers=1, d_ff=24, dropout=0.25, head_dropout=0.5
        ),
        (torch.randint(5, (3, 5)),),
        {"positions.dropout": (3, 5, 16), "head_dropout": (3, 16)}
        | layer("encoder.layers.0")
        | {"encoder.layers.0.attention.dropout": (3, 5, 16)},  # none of the weights
    )


def image(model, shapes, **changes):
    build = image_classifier.MODELS[model]
    net = build((3, 4, 4), 4, widths=(6, 8), dropout=0.25, **changes)
    return net, (torch.rand(3, 3, 4, 4),), shapes


MODELS = {
    "post-norm transformer": lambda: transformer(pre_norm=False),
    "pre-norm transformer": lambda: transformer(pre_norm=True),
    "gpt": lambda: gpt("learned"),
    "sinusoidal gpt": lambda: gpt("sinusoidal"),
    "dna": dna,
    "cnn": lambda: image("cnn", {"dropout": (3, 7)}, hidden=7),
    "mlp": lambda: image("mlp", {"hidden.3": (3, 6), "hidden.7": (3, 8)}),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_dropout_of_a_model_acts_where_it_belongs(name):
    torch.manual_seed(0)
    net, inputs, shapes = MODELS[name]()
    dropouts = {
        name: module
        for name, module in net.named_modules()
        # The DNA classifier's attention weights have one that drops nothing.
        if isinstance(module, Dropout | nn.Dropout) and getattr(module, "dropped", True)
    }
    assert dropouts.keys() == shapes.keys()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    for where, module in dropouts.items():
        share = module.dropped / 2**16 if isinstance(module, Dropout) else module.p
        assert share == (0.5 if where == "head_dropout" else 0.25)
        net.set_submodule(where, nn.Identity())
    plain = net(*inputs)
    for where, shape in shapes.items():
        stub = Dropped()
        net.set_submodule(where, stub)
        assert not torch.allclose(net(*inputs), plain, atol=1e-3), where
        assert stub.shapes == [shape]
        net.set_submodule(where, nn.Identity())


def test_a_feed_forward_network_drops_nothing_unless_it_is_told_to():
    net, x = FeedForward(4, 8).train(), torch.ones(3, 4)
    assert torch.equal(net(x), net.eval()(x)) and net(x).any()
