"""SIGTERM: the state is saved at the next safe point, the program says so, the next one goes on."""

import itertools
import json
import os
import signal
import subprocess
import sys

import generate_stories
import numpy as np
import prepare_dna
import prepare_genetic_code
import prepare_text
import pytest
import torch
import train_dna
import train_gpt
import train_seq2seq
import train_vision

from pipeline import termination
from pipeline.atomic import write_npz
from pipeline.checkpoint import Checkpoint
from rooms import vision_training

# A training whose step n adds n; it tells when a step is done and takes its time.
TRAINING = """
import sys, time
import numpy as np
from pipeline.checkpoint import Checkpoint
checkpoint = Checkpoint(sys.argv[1], "key")
step, total = 0, np.zeros(1)
if stored := checkpoint.load():
    step, total = stored[1]["step"], stored[0]["total"]
    print("resumed at", step, flush=True)
while step < 40:
    total += step
    step += 1
    print("step", step, flush=True)
    time.sleep(0.02)
    if checkpoint.stopping:
        checkpoint.save({"total": total}, {"step": step})
print("total", int(total[0]), flush=True)
checkpoint.clear()
"""


def start(repository, *words):
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository / "scripts"), "OMP_NUM_THREADS": "1"},
    )


def test_any_training_saves_ends_and_resumes(repository, tmp_path):
    first = start(repository, "-c", TRAINING, tmp_path / "c")
    while first.stdout.readline() != "step 5\n":
        pass
    first.send_signal(signal.SIGTERM)
    first.send_signal(signal.SIGTERM)
    out, err = first.communicate(timeout=30)
    last = int(out.split()[-1]) if out else 5
    assert first.returncode == 143
    assert err.count("\n") == 1 and err.startswith("ended by SIGTERM; the state is saved in ")
    out, err = start(repository, "-c", TRAINING, tmp_path / "c").communicate(timeout=30)
    assert out.startswith(f"resumed at {last}\nstep {last + 1}\n") and not err
    assert out.endswith(f"total {sum(range(40))}\n")
    assert not (tmp_path / "c").exists()


def test_without_a_checkpoint_sigterm_ends_at_once(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "key")
    assert signal.getsignal(signal.SIGTERM) == termination._note
    checkpoint.clear()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_request_before_the_last_step_changes_nothing_after_clear(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "key")
    os.kill(os.getpid(), signal.SIGTERM)
    assert checkpoint.stopping
    checkpoint.clear()
    assert not checkpoint.stopping
    Checkpoint(tmp_path / "d", "key").save({"w": np.zeros(1)}, {})


@pytest.fixture
def call(monkeypatch):
    """call(program, spec, **paths): run a program's main; PyTorch stays as it was."""
    threads, algorithms = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()

    def run(program, spec, **paths):
        words = ["program", "--spec", json.dumps(spec)]
        for name, path in paths.items():
            words += [f"--{name}", str(path)]
        monkeypatch.setattr(sys, "argv", words)
        program.main()

    yield run
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(algorithms)


def sequences(call, tmp_path, program, spec):
    paths = {"data": tmp_path / "sequences.npz", "meta": tmp_path / "sequences.json"}
    call(program, spec, out=paths["data"], meta=paths["meta"])
    return paths


def gpt(call, tmp_path):
    stories = tmp_path / "stories.txt"
    call(generate_stories, {"stories": 60}, out=stories)
    names = {"tokenizer": "json", "train": "npy", "val": "npy", "test": "npy", "meta": "json"}
    paths = {name: tmp_path / f"{name}.{ending}" for name, ending in names.items()}
    call(prepare_text, {"dataset": "grammar_stories"}, raw=stories, **paths)
    model = {"context": 16, "n_layers": 1, "n_heads": 2, "d_model": 16}
    spec = {"steps": 12, "warmup_steps": 2, "eval_every": 5, "batch_size": 4, "eval_tokens": 200}
    inputs = {name: paths[name] for name in ("train", "val", "meta")}
    return train_gpt, {**spec, "model": model}, inputs, "model", train_gpt


def dna(call, tmp_path):
    sizes = {"sizes": [90, 30, 40], "length": 16, "place": 4}
    model = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_layers": 1, "pooling": "cls"}
    inputs = sequences(call, tmp_path, prepare_dna, sizes)
    spec = {"model": model, "epochs": 4, "batch_size": 16, "largest_shift": 1}
    return train_dna, spec, inputs, "weights", train_dna


def seq2seq(call, tmp_path):
    sizes = {"train": 120, "val": 20, "test": 30, "shortest": 2, "longest": 4}
    model = {"d_model": 8, "d_ff": 8, "n_heads": 2, "n_encoder_layers": 1, "n_decoder_layers": 1}
    inputs = {"data": sequences(call, tmp_path, prepare_genetic_code, sizes)["data"]}
    spec = {"model": {**model, "dropout": 0.1}, "steps": 12, "batch_size": 16}
    return train_seq2seq, {**spec, "evaluate_every": 5}, inputs, "weights", train_seq2seq


def vision(call, tmp_path):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (90, 8, 8, 3), dtype=np.uint8)
    write_npz(tmp_path / "i.npz", train_x=x, train_y=np.arange(90) % 3)
    meta = {"dataset": "x", "classes": ["a", "b", "c"], "data_sha256": "0"}
    (tmp_path / "i.json").write_text(json.dumps(meta))
    inputs = {"images": tmp_path / "i.npz", "meta": tmp_path / "i.json"}
    spec = {"dataset": "x", "widths": [4, 4], "stem": 4, "bfloat16": False, "epochs": 3}
    spec |= {"batch_size": 20, "validation_size": 20, "crop": 1}
    return train_vision, spec, inputs, "weights", vision_training.classifier


@pytest.mark.parametrize("room", [gpt, dna, seq2seq, vision])
def test_a_preempted_training_ends_with_the_same_bytes(room, call, tmp_path, monkeypatch, capsys):
    """SIGTERM in the middle of the eighth step: saved after it, nothing done twice after that."""
    program, spec, inputs, weights, module = room(call, tmp_path)
    name = "train_step" if room is vision else "clipped_step"
    step, steps = getattr(module, name), itertools.count(1)

    def counted(*arguments, **options):
        if next(steps) == stop:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(*arguments, **options)

    monkeypatch.setattr(module, name, counted)

    def train(folder):
        folder.mkdir(exist_ok=True)
        outputs = {weights: folder / "w.safetensors", "history": folder / "history.json"}
        call(program, spec, **inputs, **outputs, checkpoint=folder / "checkpoint")
        curve = json.loads((folder / "history.json").read_text())["curve"]
        return (folder / "w.safetensors").read_bytes(), curve

    stop = None
    whole = train(tmp_path / "whole")
    total = next(steps) - 1
    steps, stop = itertools.count(1), 8
    with pytest.raises(SystemExit) as ended:
        train(tmp_path / "cut")
    assert ended.value.code == 143 and "ended by SIGTERM" in capsys.readouterr().err
    assert not (tmp_path / "cut" / "w.safetensors").exists()
    assert train(tmp_path / "cut") == whole
    assert "resumed " in capsys.readouterr().out
    assert next(steps) - 1 == total, "a step was done twice, or left out"
    assert not (tmp_path / "cut" / "checkpoint").exists()
