"""The training run: what it yields, records and saves."""

import json

import numpy as np
import pytest

from pipeline import training_run
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.training_run import TrainingRun

PLACE = {"commit": "abc", "threads": 1, "device": "cpu"}


class Walk:
    """Parts of a training: a number that each step moves by a draw of its own generator."""

    def __init__(self):
        self.at, self.random = np.zeros(1), np.random.default_rng(0)

    def step(self):
        self.at += self.random.random()
        return float(self.at[0])

    def state(self):
        return {"at": self.at.copy()}, self.random.bit_generator.state

    def load_state(self, arrays, meta):
        self.at[:] = arrays["at"]
        self.random.bit_generator.state = meta


def run(walk, checkpoint=None, steps=10, history="history.json"):
    return TrainingRun(history, walk, checkpoint, steps, steps_per_epoch=4, provenance=PLACE)


def test_points_hold_the_weighted_means_of_the_steps_since_the_last_one(tmp_path, capsys):
    training = run(Walk(), steps=5, history=tmp_path / "history.json")
    for step in training:
        training.record_step(0.1 * step, weight=step + 1, loss=float(step))
        if training.due(2):
            training.record(val_loss=9.0 - step)
    assert training.curve == [
        {"step": 2, "epoch": 0.5, "lr": 0.1, "train_loss": 2 / 3, "val_loss": 8.0},
        {"step": 4, "epoch": 1.0, "lr": pytest.approx(0.3), "train_loss": 18 / 7, "val_loss": 6.0},
        {"step": 5, "epoch": 1.25, "lr": 0.4, "train_loss": 4.0, "val_loss": 5.0},
    ]
    assert training.best(lambda point: -point["val_loss"]) is training.curve[0]
    assert training.best(lambda point: 0) is training.curve[0], "the first of several"
    assert capsys.readouterr().out.count("\n") == 3
    training.finish(task="t", seed=1)
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["curve"] == training.curve and history["provenance"] == PLACE
    assert history["task"] == "t" and history["seconds"] > 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_stops_the_training(value):
    with pytest.raises(InputError, match=r"step 0, lr 0.1: expected a finite loss .*diverged"):
        for _ in (training := run(Walk())):
            training.record_step(0.1, accuracy=1.0, loss=value)


@pytest.mark.parametrize("stop", range(1, 10))
def test_a_run_that_died_anywhere_goes_on_to_the_same_end(tmp_path, monkeypatch, stop):
    def train(name, died_in=None):
        walk = Walk()
        checkpoint = Checkpoint(tmp_path / name, "key")
        training, done = run(walk, checkpoint, history=tmp_path / f"{name}.json"), 0
        for step in training:
            if step == died_in:
                return None
            done += 1
            training.record_step(0.1, loss=walk.step())
            if training.due(4):
                training.record()
        training.finish()
        assert not (tmp_path / name).exists()
        return walk.at[0], training.curve, done

    at, curve, done = train("whole")
    assert done == 10
    monkeypatch.setattr(training_run, "SAVE_EVERY", -1.0)
    assert train("cut", died_in=stop) is None
    assert train("cut") == (at, curve, 10 - stop)


def test_a_program_may_end_a_run_early():
    training = run(Walk())
    for step in training:
        if step == 6:
            break
    assert training.step == 6, "the steps that are done"


def test_the_progress_is_told_and_gone_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(training_run, "SHOW_EVERY", -1.0)
    training = run(Walk(), history=tmp_path / "history.json")
    told = tmp_path / ".progress.json"
    for step in training:
        if step:
            found = json.loads(told.read_text())
            assert (found["step"], found["steps"], found["loss"]) == (step, 10, step - 1.0)
            assert 0 <= found["seconds_left"] < 60
        training.record_step(0.1, loss=float(step))
    training.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["history.json"]


def test_the_progress_of_an_epoch_is_that_of_its_mean(tmp_path, monkeypatch):
    """Part 1 appends whole epochs."""
    monkeypatch.setattr(training_run, "SHOW_EVERY", -1.0)
    training = run(Walk(), history=tmp_path / "history.json")
    for step in training:
        training.append({"step": step, "train_loss": 7.0})
    assert json.loads((tmp_path / ".progress.json").read_text())["loss"] == 7


def test_a_progress_that_cannot_be_written_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(training_run, "SHOW_EVERY", -1.0)
    training = run(Walk(), history=tmp_path / "history.json")
    (tmp_path / ".progress.json").mkdir()
    assert list(training) == list(range(10))
    training.finish()
    assert (tmp_path / "history.json").exists()


def test_progress_is_told_every_two_seconds_at_most(tmp_path):
    training = run(Walk(), steps=500, history=tmp_path / "history.json")
    assert len(list(training)) == 500
    assert not (tmp_path / ".progress.json").exists()
