"""Training in several processes, and in parts of a batch: the same losses as in one piece."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

MODEL = {"architecture": "modern", "context": 16, "n_layers": 1, "n_heads": 2, "d_model": 16}
SPEC = {"steps": 8, "batch_size": 8, "eval_every": 4, "eval_tokens": 200, "warmup_steps": 2}
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


def train(repository, text, folder, launcher=(), **changes):
    """The losses of each point of the curve, and what the processes printed."""
    folder.mkdir(exist_ok=True)
    words = [sys.executable, *launcher, "-m", "gpt.train", "--spec", json.dumps(SPEC | changes)]
    for name in ("train.npy", "val.npy", "meta.json", "tokenizer.json"):
        words += [f"--{name.partition('.')[0]}", text / name]
    words += ["--weights", folder / "model.safetensors", "--history", folder / "history.json"]
    words += ["--checkpoint", folder / "checkpoint"]
    env = os.environ | {"PYTHONPATH": str(repository / "scripts"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    curve = json.loads((folder / "history.json").read_text())["curve"]
    return [point[key] for point in curve for key in ("train_loss", "val_loss")], done.stdout


def test_two_processes_and_four_parts_give_the_losses_of_one(repository, text, tmp_path):
    alone, _ = train(repository, text, tmp_path / "alone")
    parts, _ = train(repository, text, tmp_path / "parts", accumulation=4)
    assert parts == pytest.approx(alone, abs=1e-6)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    pair, printed = train(repository, text, tmp_path / "pair", torchrun, accumulation=2)
    assert pair == pytest.approx(alone, abs=1e-6)
    assert printed.count("step 8 ") == 1  # one process speaks for both
    history = json.loads((tmp_path / "pair" / "history.json").read_text())
    assert history["processes"] == 2
