"""The programs of the GPT by hand, on a tiny text."""

import json
import sys

import numpy as np
import pytest

from gpt import compare_twins, evaluate_numpy, evaluate_twin, sample_numpy, train_numpy
from gpt.numpy_model import build, load, rate, save, window_nats
from gpt.settings import Recipe, Shape
from gpt.token_windows import covering_windows
from pipeline.atomic import write_npz
from pipeline.errors import InputError

TEXT = "to be, or not to be: that is the question. "
SHAPE = {"context": 12, "n_layers": 2, "n_heads": 2, "d_model": 16}
SPEC = {"model": SHAPE, "steps": 30, "warmup_steps": 5, "batch_size": 4, "lr": 0.01}
SPEC |= {"eval_every": 10, "eval_tokens": 100}


@pytest.fixture
def text(tmp_path):
    """The files of a prepared text."""
    letters = "".join(sorted(set(TEXT)))
    tokens = np.array([letters.index(letter) for letter in TEXT * 20], np.uint16)
    files = {name: tmp_path / f"{name}.npy" for name in ("train", "val", "test")}
    for name, path in files.items():
        np.save(path, tokens if name == "train" else tokens[:200])
    tokenizer = {"kind": "characters", "characters": letters, "separator": False}
    meta = {"dataset": "tinyshakespeare", "data_sha256": "ab" * 32, "stand_in": False}
    meta |= {"n_bytes": {"val": 200, "test": 200}, "split_names": {"test": "val"}}
    meta |= {"vocab_size": len(letters)}
    for name, value in (("tokenizer", tokenizer), ("meta", meta)):
        files[name] = tmp_path / f"{name}.json"
        files[name].write_text(json.dumps(value))
    return files


def call(monkeypatch, program, spec, **paths):
    words = ["program", "--spec", json.dumps(spec)]
    for name, path in paths.items():
        words += [f"--{name}", str(path)]
    monkeypatch.setattr(sys, "argv", words)
    program.main()


def train(monkeypatch, text, folder, **options):
    inputs = {name: text[name] for name in ("train", "val", "meta")}
    outputs = {"weights": folder / "model.npz", "history": folder / "history.json"}
    call(monkeypatch, train_numpy, SPEC, **inputs, **outputs, **options)
    return outputs


def test_it_learns_is_measured_in_both_frameworks_and_writes(monkeypatch, text, tmp_path):
    trained = train(monkeypatch, text, tmp_path)
    history = json.loads(trained["history"].read_text())
    losses = [point["val_loss"] for point in history["curve"]]
    assert len(losses) == 3 and losses[-1] < losses[0] - 0.3
    held_out = {name: text[name] for name in ("val", "test", "meta")} | trained
    values = []
    for program, name in ((evaluate_numpy, "numpy"), (evaluate_twin, "torch")):
        call(monkeypatch, program, {}, **held_out, out=tmp_path / f"{name}.json")
        rows = json.loads((tmp_path / f"{name}.json").read_text())["rows"]
        assert [(r["metric"], r["split"]) for r in rows] == [
            ("nats_per_token", "val"),
            ("bits_per_byte", "val"),
        ]
        assert {r["implementation"] for r in rows} == {name}
        values.append([r["value"] for r in rows])
    np.testing.assert_allclose(*values, atol=1e-5)
    # 199 of 200 one-byte tokens are predicted.
    assert values[0][1] == pytest.approx(values[0][0] / np.log(2) * 199 / 200)

    out = tmp_path / "samples.json"
    spec = {"prompts": ["to be", "question"], "max_new_tokens": 20}
    inputs = {name: text[name] for name in ("tokenizer", "meta")}
    for _ in range(2):
        call(monkeypatch, sample_numpy, spec, **inputs, weights=trained["weights"], out=out)
        samples = json.loads(out.read_text())["samples"]
        assert [len(sample["text"]) for sample in samples] == [25, 28]
        assert samples[0]["text"].startswith("to be")


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(monkeypatch, text, tmp_path):
    whole = train(monkeypatch, text, tmp_path)["weights"].read_bytes()
    step = train_numpy.train_step
    done = []

    def interrupted(*arguments):
        done.append(1)
        if len(done) == 17:
            monkeypatch.setattr("pipeline.termination.requested", lambda: True)
        return step(*arguments)

    (tmp_path / "again").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(train_numpy, "train_step", interrupted)
        with pytest.raises(SystemExit):
            train(patch, text, tmp_path / "again", checkpoint=tmp_path / "checkpoint")
    assert len(done) == 17
    monkeypatch.setattr("pipeline.termination.requested", lambda: False)
    again = train(monkeypatch, text, tmp_path / "again", checkpoint=tmp_path / "checkpoint")
    assert again["weights"].read_bytes() == whole


def test_both_twins_have_one_curve(monkeypatch, text, tmp_path):
    inputs = {name: text[name] for name in ("train", "meta")}
    call(monkeypatch, compare_twins, SPEC, **inputs, out=tmp_path / "twins.json")
    found = json.loads((tmp_path / "twins.json").read_text())
    for dtype, most in (("float32", 1e-3), ("float64", 1e-6)):
        assert len(found[dtype]["numpy"]) == 30
        apart = np.abs(np.subtract(found[dtype]["numpy"], found[dtype]["torch"]))
        assert apart.max() == found[dtype]["largest_difference"] < most
    assert found["float64"]["numpy"][-1] < found["float64"]["numpy"][0] - 0.3


def test_a_stored_model_comes_back_with_its_heads(tmp_path):
    model = build(Shape.model_validate(SHAPE), 7, np.random.default_rng(0))
    save(tmp_path / "model.npz", model)
    again = load(tmp_path / "model.npz")
    tokens = np.random.default_rng(1).integers(0, 7, (2, 9))
    np.testing.assert_array_equal(again(tokens), model(tokens))
    state = model.state_dict()
    del state["norm.gain"]
    write_npz(tmp_path / "half.npz", n_heads=np.array(2), **state)
    for name in ("half", "none"):
        with pytest.raises(InputError, match=f"{name}.npz: expected"):
            load(tmp_path / f"{name}.npz")


def test_nats_count_each_token_once_whatever_the_window():
    model = build(Shape.model_validate(SHAPE), 7, np.random.default_rng(0))
    tokens = np.random.default_rng(1).integers(0, 7, 50).astype(np.uint16)
    nats, counts = window_nats(model, covering_windows(tokens, 12, 12), batch_size=2)
    assert counts.tolist() == [12, 12, 12, 12, 1] and len(nats) == 5
    z = model(tokens[None, :12].astype(np.int64))[0].astype(np.float64)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert nats[0] == pytest.approx(-np.log(p[np.arange(12), tokens[1:13]]).sum(), abs=1e-4)


def test_the_rate_rises_then_falls_to_nothing():
    rates = [rate(step, Recipe(steps=100, warmup_steps=10, lr=0.5)) for step in range(100)]
    assert rates[0] == pytest.approx(0.05) and max(rates) == rates[9] == 0.5
    assert rates[-1] < 0.001
