"""The programs of Part 1: folds, selection, training that is killed and goes on, evaluation."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from cross_validate_mlp import Spec, split
from mlp_grid import candidates
from select_mlp import choose, summarise

from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError


@pytest.fixture
def data(tmp_path):
    """Two easy classes of 6x6 images, and a folder to work in."""
    rng = np.random.default_rng(0)

    def part(n):
        y = rng.integers(0, 2, n)
        x = rng.integers(0, 128, (n, 6, 6)) + 100 * y[:, None, None] * (np.arange(6) < 3)
        return x.astype(np.uint8), y.astype(np.int64)

    (train_x, train_y), (test_x, test_y) = part(600), part(100)
    arrays = {"train_x": train_x, "train_y": train_y, "test_x": test_x, "test_y": test_y}
    write_npz(tmp_path / "images.npz", **arrays)
    meta = {"dataset": "fake", "title": "Fake", "classes": ["a", "b"], "data_sha256": "0" * 64}
    write_json(tmp_path / "meta.json", meta)
    write_json(
        tmp_path / "selection.json",
        {
            "candidates": summarise(
                [score(0.1, fold, a) for fold, a in enumerate((0.9, 1.0))],
            ),
            "selected": {"lr": 0.1, "batch_size": 20, "dropout": 0.5},
            "seconds": 1.0,
        },
    )
    return tmp_path


def score(lr, fold, accuracy, batch_size=20, dropout=0.5):
    """What a fold writes; accuracy None: it diverged."""
    return {
        "dataset": "fake",
        "diverged": accuracy is None,
        "message": "diverged at step 7" if accuracy is None else None,
        "seconds": 2.0 + fold,
        "lr": lr,
        "batch_size": batch_size,
        "dropout": dropout,
        "fold": fold,
        "accuracy": accuracy,
    }


def command(repository, name, spec, **paths):
    line = [sys.executable, repository / "scripts" / name, "--spec", json.dumps(spec)]
    for option, value in paths.items():
        line += [f"--{option}", *(value if isinstance(value, list) else [value])]
    return [str(part) for part in line]


def run(*arguments, **paths):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command(*arguments, **paths), capture_output=True, text=True, env=env)


def test_candidates_are_every_combination_with_a_name_each():
    found = candidates({"lr": [0.1, 0.3], "batch_size": [64], "dropout": [0.0, 0.2]})
    assert list(found) == [
        "lr-0.1_batch_size-64_dropout-0.0",
        "lr-0.1_batch_size-64_dropout-0.2",
        "lr-0.3_batch_size-64_dropout-0.0",
        "lr-0.3_batch_size-64_dropout-0.2",
    ]
    assert found["lr-0.3_batch_size-64_dropout-0.2"] == {
        "lr": 0.3,
        "batch_size": 64,
        "dropout": 0.2,
    }
    with pytest.raises(ValueError, match="lr-0.1 stands there twice"):
        candidates({"lr": [0.1, 0.1]})


def test_folds_are_stratified_disjoint_and_the_same_for_every_candidate():
    y = np.repeat([0, 1, 2], [300, 120, 60])
    parts = [split(y, Spec(fold=fold, folds=3)) for fold in range(3)]
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(480))
    for kept, held_out in parts:
        assert sorted([*kept, *held_out]) == list(range(480))
        assert np.bincount(y[held_out]).tolist() == [100, 40, 20]
    again = split(y, Spec(fold=1, folds=3, lr=0.5, batch_size=7, epochs=3))
    np.testing.assert_array_equal(again[1], parts[1][1])
    kept, held_out = split(y, Spec(fold=0, folds=2, examples=48))
    assert np.bincount(y[[*kept, *held_out]]).tolist() == [30, 12, 6]
    with pytest.raises(InputError, match="fold: expected 0 to 2, found 3"):
        split(y, Spec(fold=3, folds=3))
    with pytest.raises(InputError, match="expected at most 60, the rarest class, found 61"):
        split(y, Spec(fold=0, folds=61))


def test_selection_worked_example():
    """Means 0.85, 0.87 and 0.87: of the equal ones, that with the smaller deviation."""
    scores = [
        *(score(0.1, 0, 0.90), score(0.1, 1, 0.80)),
        *(score(0.2, 0, 0.92), score(0.2, 1, 0.82)),
        *(score(0.3, 1, 0.86), score(0.3, 0, 0.88)),
    ]
    found = summarise(scores)
    assert [c["mean"] for c in found] == pytest.approx([0.85, 0.87, 0.87])
    assert found[2]["fold_accuracy"] == [0.88, 0.86]
    assert found[2]["std"] == pytest.approx(0.02 / np.sqrt(2))
    assert choose(found) == {"lr": 0.3, "batch_size": 20, "dropout": 0.5}
    assert choose(found[:2])["lr"] == 0.2


def test_selection_refuses_a_candidate_that_lacks_a_fold_or_has_one_twice():
    scores = [score(0.1, 0, 0.9), score(0.1, 1, 0.8), score(0.2, 0, 0.9)]
    with pytest.raises(InputError, match=r"expected folds \[0, 1\], found \[0\]"):
        summarise(scores)
    with pytest.raises(InputError, match="twice"):
        summarise([scores[0], scores[0]])


def test_a_candidate_that_diverged_is_flagged_and_never_selected():
    scores = [
        *(score(0.1, 0, 0.0), score(0.1, 1, 0.0)),
        *(score(0.2, 0, 0.9), score(0.2, 1, None)),
    ]
    found = summarise(scores)
    assert [c["diverged"] for c in found] == [False, True]
    assert (found[1]["mean"], found[1]["std"]) == (None, None)
    assert found[1]["fold_accuracy"] == [0.9, None]
    assert found[1]["message"] == "diverged at step 7"
    assert choose(found)["lr"] == 0.1, "even the worst that trains"
    with pytest.raises(InputError, match="found 1 that diverged.*lower learning rates"):
        choose(found[1:])


def test_scores_of_another_data_set_are_refused(repository, data):
    paths = [data / "fold0.json", data / "fold1.json"]
    for fold, path in enumerate(paths):
        write_json(path, score(0.1, fold, 0.9))
    out = data / "chosen.json"
    done = run(repository, "select_mlp.py", {"dataset": "other"}, scores=paths, out=out)
    assert done.returncode == 1 and "expected those of other, found ['fake']" in done.stderr
    assert not out.exists()
    done = run(repository, "select_mlp.py", {"dataset": "fake"}, scores=paths, out=out)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["selected"]["lr"] == 0.1


def test_a_fold_reads_no_test_data_and_says_what_it_found(repository, data):
    with np.load(data / "images.npz") as stored:
        write_npz(data / "blind.npz", train_x=stored["train_x"], train_y=stored["train_y"])
    spec = {"hidden": [16], "epochs": 3, "lr": 0.1, "batch_size": 20, "fold": 1}
    paths = {"data": data / "blind.npz", "meta": data / "meta.json", "out": data / "fold.json"}
    done = run(repository, "cross_validate_mlp.py", spec, **paths)
    assert done.returncode == 0, done.stderr
    found = json.loads((data / "fold.json").read_text())
    assert found["accuracy"] > 0.95 and found["fold"] == 1
    assert found["diverged"] is False and found["message"] is None
    assert found["accuracy"] == found["curve"][-1]["val_accuracy"]


def test_a_learning_rate_that_diverges_scores_nothing(repository, data):
    spec = {"hidden": [16], "epochs": 3, "lr": 1e12, "batch_size": 20, "schedule": "constant"}
    paths = {"data": data / "images.npz", "meta": data / "meta.json", "out": data / "fold.json"}
    done = run(repository, "cross_validate_mlp.py", spec, **paths)
    assert done.returncode == 0, done.stderr
    found = json.loads((data / "fold.json").read_text())
    assert found["accuracy"] is None and found["diverged"] is True
    assert "diverged at step" in found["message"]


def training_paths(data, name):
    return {
        "data": data / "images.npz",
        "meta": data / "meta.json",
        "selection": data / "selection.json",
        "model": data / name / "model.npz",
        "history": data / name / "history.json",
    }


def test_a_killed_training_goes_on_to_the_same_model_which_is_then_scored(repository, data):
    spec = {"hidden": [64, 32], "epochs": 40, "seed": 3, "dataset": "fake"}
    whole, resumed = training_paths(data, "whole"), training_paths(data, "resumed")
    done = run(repository, "train_mlp.py", spec, **whole)
    assert done.returncode == 0, done.stderr

    checkpoint = data / "checkpoint"
    line = command(repository, "train_mlp.py", spec, **resumed, checkpoint=checkpoint)
    # A checkpoint after every epoch, and a pause after each, so that the kill hits the middle.
    slow = (
        "import runpy, sys, time; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv.pop(0));"
        "import numpy_nn.training as t; f = t.Training.run_epoch;"
        "t.Training.run_epoch = lambda self: (time.sleep(0.2), f(self))[1];"
        "clock = time.perf_counter; time.perf_counter = lambda: clock() * 1000;"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow, str(repository / "scripts"), *line[1:]],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not list(checkpoint.glob("[!.]*.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not resumed["model"].exists()

    done = run(repository, "train_mlp.py", spec, **resumed, checkpoint=checkpoint)
    assert done.returncode == 0, done.stderr
    assert "resumed after epoch" in done.stdout
    assert not checkpoint.exists()
    with np.load(whole["model"]) as first, np.load(resumed["model"]) as second:
        assert set(first.files) == set(second.files)
        for name in first.files:
            np.testing.assert_array_equal(first[name], second[name], name)
    histories = [json.loads(p["history"].read_text()) for p in (whole, resumed)]
    assert histories[0]["curve"] == histories[1]["curve"]
    assert histories[0]["model"] == "MLP 36-64-32-2"
    assert histories[0]["parameters"] == 36 * 64 + 64 + 64 * 32 + 32 + 32 * 2 + 2

    outputs = {name: data / name for name in ("metrics", "predictions", "examples.npz")}
    outputs["examples"] = outputs.pop("examples.npz")
    done = run(
        *(repository, "evaluate_mlp.py", {"dataset": "fake", "examples": 5}),
        **{name: whole[name] for name in ("data", "meta", "selection")},
        models=[whole["model"], resumed["model"]],
        histories=[whole["history"], resumed["history"]],
        **outputs,
    )
    assert done.returncode == 0, done.stderr
    rows = {row["split"]: row for row in json.loads(outputs["metrics"].read_text())["rows"]}
    assert set(rows) == {"train", "cv", "test"}
    assert rows["cv"]["value"] == pytest.approx(0.95)
    assert rows["cv"]["train_seconds"] == 2.5, "of the folds"
    final = np.mean([history["seconds"] for history in histories])
    assert rows["test"]["train_seconds"] == pytest.approx(final)
    with outputs["predictions"].open() as opened:
        predictions = list(csv.DictReader(opened))
    right = np.mean([row["label"] == row["prediction"] for row in predictions])
    assert len(predictions) == 100 and right == pytest.approx(rows["test"]["value"]) and right > 0.9
    assert rows["test"]["ci_low"] <= right <= rows["test"]["ci_high"]
    with np.load(outputs["examples"], allow_pickle=False) as shown:
        assert shown["images"].shape == (5, 6, 6) and shown["classes"].tolist() == ["a", "b"]
