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


def run(walk, checkpoint=None, steps=10):
    return TrainingRun(walk, checkpoint, steps, steps_per_epoch=4, provenance=PLACE)


def test_points_hold_the_weighted_means_of_the_steps_since_the_last_one(tmp_path, capsys):
    training = run(Walk(), steps=5)
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
    training.finish(tmp_path / "history.json", task="t", seed=1)
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
        training, done = run(walk, checkpoint), 0
        for step in training:
            if step == died_in:
                return None
            done += 1
            training.record_step(0.1, loss=walk.step())
            if training.due(4):
                training.record()
        training.finish(tmp_path / f"{name}.json")
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
