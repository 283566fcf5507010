"""Training in several processes, and in parts of a batch: the same losses as in one piece."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gpt import train

pytestmark = pytest.mark.slow

MODEL = {"architecture": "modern", "context": 16, "n_layers": 1, "n_heads": 2, "d_model": 16}
SPEC = {"steps": 8, "batch_size": 8, "eval_every": 4, "eval_tokens": 200, "warmup_steps": 2}
FILES = ("train.npy", "val.npy", "meta.json", "tokenizer.json")
SPEC |= {"model": MODEL | {"dropout": 0.0}, "optimizer": "muon", "device": "cpu"}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    random = np.random.default_rng(0)
    for name in ("train", "val"):
        np.save(folder / f"{name}.npy", random.integers(0, 30, 800).astype(np.uint16))
    about = {"dataset": "x", "title": "X", "stand_in": True, "data_sha256": "0", "vocab_size": 30}
    (folder / "meta.json").write_text(json.dumps(about))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def words(text, folder, **changes):
    """The options of a training."""
    folder.mkdir(exist_ok=True)
    paths = {name.partition(".")[0]: text / name for name in FILES}
    paths |= {"weights": folder / "model.safetensors", "history": folder / "history.json"}
    found = ["--spec", json.dumps(SPEC | changes), "--checkpoint", str(folder / "checkpoint")]
    return found + [word for name, path in paths.items() for word in (f"--{name}", str(path))]


def losses(folder):
    """Those of each point of the curve."""
    curve = json.loads((folder / "history.json").read_text())["curve"]
    return [point[key] for point in curve for key in ("train_loss", "val_loss")]


def test_two_processes_and_four_parts_give_the_losses_of_one(
    repository, text, tmp_path, monkeypatch
):
    for name, parts in {"whole": 1, "parts": 4}.items():
        options = words(text, tmp_path / name, accumulation=parts)
        monkeypatch.setattr(sys, "argv", ["train", *options])
        train.main()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    options = words(text, tmp_path / "pair", accumulation=2)
    env = os.environ | {"PYTHONPATH": str(repository / "scripts"), "OMP_NUM_THREADS": "1"}
    command = [*torchrun, "-m", "gpt.train", *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    whole = losses(tmp_path / "whole")
    assert losses(tmp_path / "parts") == pytest.approx(whole, abs=1e-6)
    assert losses(tmp_path / "pair") == pytest.approx(whole, abs=1e-6)
    assert done.stdout.count("step 8 ") == 1  # one process speaks for both
    assert json.loads((tmp_path / "pair" / "history.json").read_text())["processes"] == 2
