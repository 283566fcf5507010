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
from forks import python

from mlp.ensemble import unseen
from mlp.select import choose, summarise
from pipeline.atomic import write_json, write_npz
from pipeline.checkpoint import file_sha256
from pipeline.errors import InputError

pytestmark = pytest.mark.slow


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
            "candidates": summarise([score(0.1, fold, a) for fold, a in enumerate((0.9, 1.0))]),
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
        "train_flops": 100 + fold,
        "lr": lr,
        "batch_size": batch_size,
        "dropout": dropout,
        "fold": fold,
        "accuracy": accuracy,
    }


def command(repository, name, spec, **paths):
    line = [sys.executable, "-m", name, "--spec", json.dumps(spec)]
    for option, value in paths.items():
        line += [f"--{option}", *(value if isinstance(value, list) else [value])]
    return [str(part) for part in line]


def run(*arguments, **paths):
    return python(*command(*arguments, **paths)[1:])


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
    assert found[2]["fold_flops"] == [100, 101]
    assert choose(found) == {"lr": 0.3, "batch_size": 20, "dropout": 0.5}
    assert choose(found[:2])["lr"] == 0.2


def test_selection_refuses_a_candidate_that_lacks_a_fold_or_has_one_twice():
    scores = [score(0.1, 0, 0.9), score(0.1, 1, 0.8), score(0.2, 0, 0.9)]
    with pytest.raises(InputError, match=r"expected folds \[0, 1\], found \[0\]"):
        summarise(scores)
    with pytest.raises(InputError, match=r"expected folds \[0\], found \[0, 0\]"):
        summarise([scores[0], scores[0]])


def test_a_candidate_that_diverged_is_flagged_and_never_selected():
    scores = [*(score(0.1, 0, 0.0), score(0.1, 1, 0.0)), *(score(0.2, 0, 0.9), score(0.2, 1, None))]
    found = summarise(scores)
    assert [c["diverged"] for c in found] == [False, True]
    assert (found[1]["mean"], found[1]["std"]) == (None, None)
    assert found[1]["fold_accuracy"] == [0.9, None]
    assert found[1]["message"] == "diverged at step 7"
    assert choose(found)["lr"] == 0.1, "even the worst that trains"
    with pytest.raises(InputError, match="found 1 that diverged.*lower the grid's lr"):
        choose(found[1:])


def test_scores_of_another_data_set_are_refused(repository, data):
    paths = [data / "fold0.json", data / "fold1.json"]
    for fold, path in enumerate(paths):
        write_json(path, score(0.1, fold, 0.9))
    out = data / "chosen.json"
    done = run(repository, "mlp.select", {"dataset": "other"}, scores=paths, out=out)
    assert done.returncode == 1 and "expected those of other, found ['fake']" in done.stderr
    assert not out.exists()
    done = run(repository, "mlp.select", {"dataset": "fake"}, scores=paths, out=out)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["selected"]["lr"] == 0.1


def test_a_fold_reads_no_test_data_and_says_what_it_found(repository, data):
    with np.load(data / "images.npz") as stored:
        write_npz(data / "blind.npz", train_x=stored["train_x"], train_y=stored["train_y"])
    spec = {"hidden": [16], "epochs": 3, "lr": 0.1, "batch_size": 20, "fold": 1}
    paths = {"data": data / "blind.npz", "meta": data / "meta.json", "out": data / "fold.json"}
    done = run(repository, "mlp.cross_validate", spec, **paths)
    assert done.returncode == 0, done.stderr
    found = json.loads((data / "fold.json").read_text())
    assert found["accuracy"] > 0.95 and found["fold"] == 1
    assert found["diverged"] is False and found["message"] is None
    assert found["accuracy"] == found["curve"][-1]["val_accuracy"]


def test_a_learning_rate_that_diverges_scores_nothing(repository, data):
    spec = {"hidden": [16], "epochs": 3, "batch_size": 20, **DIVERGES}
    paths = {"data": data / "images.npz", "meta": data / "meta.json", "out": data / "fold.json"}
    done = run(repository, "mlp.cross_validate", spec, **paths)
    assert done.returncode == 0, done.stderr
    found = json.loads((data / "fold.json").read_text())
    assert found["accuracy"] is None and found["diverged"] is True
    assert "diverged at step" in found["message"]


# Weight decay alone takes ten times each weight off it, every step.
DIVERGES = {"lr": 10.0, "weight_decay": 1.0, "schedule": "constant"}


def training_paths(data, name):
    return {
        "data": data / "images.npz",
        "meta": data / "meta.json",
        "selection": data / "selection.json",
        "weights": data / name / "model.npz",
        "history": data / name / "history.json",
    }


# Everything whose state a checkpoint has to hold: views, mixup, dropout, averaged weights, norms.
FULL = {
    **{"hidden": [64, 32], "epochs": 12, "seed": 3, "dataset": "fake", "norm": "batch"},
    **{"flips": True, "shift": 1, "mixup": 0.2, "ema_decay": 0.98, "clip_norm": 5.0},
    **{"input_dropout": 0.1, "optimiser": "adamw", "lr": 0.002, "weight_decay": 0.01},
}


def test_a_killed_training_goes_on_to_the_same_model(repository, data):
    whole, resumed = training_paths(data, "whole"), training_paths(data, "resumed")
    done = run(repository, "mlp.train", FULL, **whole)
    assert done.returncode == 0, done.stderr

    checkpoint = data / "checkpoint"
    line = command(repository, "mlp.train", FULL, **resumed, checkpoint=checkpoint)
    # A checkpoint after every epoch, and a pause before each, so that the kill hits the middle.
    slow = (
        "import runpy, sys, time; sys.argv = sys.argv[2:];"
        "import numpy_nn.training as t; f = t.Training.run_epoch;"
        "t.Training.run_epoch = lambda self: (time.sleep(0.2), f(self))[1];"
        "import pipeline.training_run as r; r.SAVE_EVERY = 0;"
        "runpy.run_module(sys.argv[0], run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow, *line[1:]],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(checkpoint.glob("[!.]*.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not resumed["weights"].exists()

    done = run(repository, "mlp.train", FULL, **resumed, checkpoint=checkpoint)
    assert done.returncode == 0, done.stderr
    assert "resumed after step" in done.stdout
    assert not checkpoint.exists()
    with np.load(whole["weights"]) as first, np.load(resumed["weights"]) as second:
        assert set(first.files) == set(second.files)
        for name in first.files:
            np.testing.assert_array_equal(first[name], second[name], name)
    histories = [json.loads(p["history"].read_text()) for p in (whole, resumed)]
    assert histories[0]["curve"] == histories[1]["curve"]
    assert histories[0]["model"] == "MLP 36-64-32-2" and histories[0]["inputs"] == "pixels"
    norms = 2 * (64 + 32)
    assert histories[0]["parameters"] == 36 * 64 + 64 + 64 * 32 + 32 + 32 * 2 + 2 + norms
    products = 2 * (36 * 64 + 64 * 32 + 32 * 2)
    assert [h["train_flops"] for h in histories] == [3 * products * 12 * 600] * 2
    assert histories[0]["candidate"] == {"lr": 0.1, "batch_size": 20, "dropout": 0.5}
    assert histories[0]["recipe"]["lr"] == 0.1, "the search chose it"
    assert histories[0]["fold"] is None and histories[0]["out_of_fold"] is None


@pytest.fixture
def trained(repository, data):
    """Two seeds and both of two folds of one recipe, trained with flips and shifts."""
    base = {"hidden": [16], "epochs": 4, "dataset": "fake", "model": "searched"}
    base |= {"flips": True, "shift": 1, "lr": 0.1, "batch_size": 20}
    folds = [{"seed": k, "fold": k, "folds": 2, "fold_seed": 0} for k in (0, 1)]
    weights, histories = [], []
    for part in ({"seed": 1}, {"seed": 2}, *folds):
        paths = training_paths(data, f"{'fold' if 'fold' in part else 'seed'}{part['seed']}")
        paths.pop("selection")
        done = run(repository, "mlp.train", {**base, **part}, **paths)
        assert done.returncode == 0, done.stderr
        weights.append(paths["weights"])
        histories.append(paths["history"])
    return {"weights": weights, "histories": histories}


def evaluated(repository, data, trained, spec=None, **more):
    names = ("metrics.json", "predictions.csv", "examples.npz", "probabilities.npz")
    outputs = {name.split(".")[0]: data / name for name in names}
    settings = {"dataset": "fake", "model": "searched", "folds": 2, "flips": True, "examples": 5}
    settings |= {"shifts": True}
    paths = {"data": data / "images.npz", "meta": data / "meta.json"} | trained | outputs | more
    return outputs, run(repository, "mlp.evaluate", settings | (spec or {}), **paths)


def test_evaluation_has_a_row_for_each_way_to_use_the_members(repository, data, trained):
    outputs, done = evaluated(repository, data, trained)
    assert done.returncode == 0, done.stderr
    rows = json.loads(outputs["metrics"].read_text())["rows"]
    assert {row["model"] for row in rows} == {"MLP 36-16-2, chosen by halving"}
    assert {row["inputs"] for row in rows} == {"pixels"}
    found = {(row["members"], row["views"], row["split"]): row for row in rows}
    assert list(found) == [
        *(("1", "none", split) for split in ("train", "cv", "test")),
        *(("1", "flips", split) for split in ("cv", "test")),
        *(("1", "flips and shifts", split) for split in ("cv", "test")),
        *(("2 folds", "none", split) for split in ("train", "test")),
        *(("2 folds", "flips", "test"), ("2 folds", "flips and shifts", "test")),
    ]
    one, both = found["1", "none", "test"], found["2 folds", "none", "test"]
    by_fold = found["1", "none", "cv"]
    histories = [json.loads(path.read_text()) for path in trained["histories"]]
    out_of_fold = [h["out_of_fold"]["accuracy"] for h in histories[2:]]
    assert by_fold["value"] == pytest.approx(np.mean(out_of_fold))
    assert one["n_seeds"] == 2 and both["n_seeds"] == 1
    assert both["parameters"] == 2 * one["parameters"]
    seconds = [h["seconds"] for h in histories]
    assert one["train_seconds"] == pytest.approx(np.mean(seconds[:2]))
    assert both["train_seconds"] == pytest.approx(np.sum(seconds[2:]))
    flops = 3 * 2 * (36 * 16 + 16 * 2) * 4  # per image, of 4 epochs
    assert (one["train_flops"], by_fold["train_flops"]) == (600 * flops, 300 * flops)
    assert both["train_flops"] == 2 * 300 * flops

    with np.load(outputs["probabilities"], allow_pickle=False) as stored:
        p, y, members = stored["p"], stored["label"], stored["members"].tolist()
        assert members == ["seed1", "seed2", "fold0", "fold1"]
        assert p.shape == stored["flips"].shape == stored["shifts"].shape == (4, 100, 2)
        assert not np.allclose(stored["flips"], stored["shifts"])
        unseen, label = stored["out_of_fold_p"], stored["out_of_fold_label"]
        fold, flipped = stored["out_of_fold_fold"], stored["out_of_fold_flips"]
        assert unseen.shape == flipped.shape == (600, 2) and fold.shape == label.shape == (600,)
        assert (unseen.sum(axis=1) > 0.99).all() and np.bincount(fold).tolist() == [300, 300]
    expected = (p[2:].mean(axis=0).argmax(axis=1) == y).mean()
    assert both["value"] == pytest.approx(expected)
    with outputs["predictions"].open() as opened:
        predictions = list(csv.DictReader(opened))
    assert [int(row["prediction"]) for row in predictions] == p[0].argmax(axis=1).tolist()
    with np.load(outputs["examples"], allow_pickle=False) as shown:
        assert shown["images"].shape == (5, 6, 6) and shown["classes"].tolist() == ["a", "b"]

    spec = {"dataset": "fake", "members": ["searched/folds", "searched/seeds"]}
    paths = {"meta": data / "meta.json", "probabilities": outputs["probabilities"]}
    paths |= {"metrics": data / "e.json", "predictions": data / "e.csv"}
    done = run(repository, "mlp.ensemble", spec, **paths)
    assert done.returncode == 0, done.stderr
    rows = json.loads((data / "e.json").read_text())["rows"]
    assert {row["model"] for row in rows} == {"Ensemble of searched"}
    assert {row["inputs"] for row in rows} == {"as its members"}
    assert [(row["members"], row["views"], row["split"]) for row in rows] == [
        (members, views, split)
        for views in ("none", "flips", "flips and shifts")
        for members, split in (("1 fold", "cv"), ("2 folds + 2 seeds", "test"))
    ]
    mean = (p[2:].mean(axis=0) + p[:2].mean(axis=0)) / 2
    assert rows[1]["value"] == pytest.approx((mean.argmax(axis=1) == y).mean())
    assert rows[1]["parameters"] == 4 * one["parameters"]
    assert rows[1]["train_flops"] == (2 * 300 + 2 * 600) * flops
    # Both groups are of one model: its member without a fold answers about that fold.
    assert rows[0]["value"] == pytest.approx(np.mean(out_of_fold)) and rows[0]["n_seeds"] == 2
    assert rows[0]["parameters"] == by_fold["parameters"]
    assert rows[0]["train_seconds"] == pytest.approx(np.mean(seconds[2:]))
    done = run(repository, "mlp.ensemble", {**spec, "members": ["mixer/seeds"]}, **paths)
    assert done.returncode == 1 and "expected models among ['searched']" in done.stderr


def test_an_ensemble_is_validated_on_the_folds_that_none_of_its_models_has_seen():
    def model(folds, **more):
        arrays = {"out_of_fold_p": np.zeros((6, 2)), "out_of_fold_fold": np.array(folds)}
        return arrays | {"out_of_fold_label": np.array([0, 1] * 3)} | more

    every, second = model([0, 0, 1, 1, 2, 2]), model([-1, -1, 1, 1, -1, -1])
    found = unseen([every, every])
    assert {k: v.tolist() for k, v in found.items()} == {0: [0, 1], 1: [2, 3], 2: [4, 5]}
    assert {k: v.tolist() for k, v in unseen([every, second]).items()} == {1: [2, 3]}
    assert unseen([every, {"p": np.zeros((2, 2))}]) == {}
    assert unseen([second, model([0, 0, -1, -1, -1, -1])]) == {}
    for other in (
        model([0, 1, 1, 0, 2, 2]),
        model([-1, 1, 1, -1, -1, -1]),
        model([0, 0, 1, 1, 2, 2], out_of_fold_label=np.array([1, 0] * 3)),
        model([0, 0, 1, 1, 2], out_of_fold_label=np.zeros(5)),
    ):
        with pytest.raises(InputError, match="the same images in fold"):
            unseen([second, other])


def test_the_groups_of_an_ensemble_count_alike_on_its_folds_too(repository, data):
    """Two models whose nets disagree; one has fold 0 alone and no flips."""
    y, unsure = np.array([0, 1]), np.array([[0.7, 0.3], [0.7, 0.3]])
    sure = np.array([[0.9, 0.1], [0.1, 0.9]])

    def write(model, fold, out_of_fold, **more):
        members = ["seed1", *(f"fold{k}" for k in sorted(set(fold) - {-1}))]
        write_npz(
            data / f"{model}.npz",
            model=np.array(model),
            name=np.array(f"name of {model}"),
            ids=np.arange(2),
            label=y,
            members=np.array(members),
            parameters=np.array([10] * len(members)),
            seconds=np.arange(len(members)) + 1.0,
            flops=np.arange(len(members)) + 100,
            p=np.stack([unsure] * len(members)),
            out_of_fold_p=np.array(out_of_fold),
            out_of_fold_label=np.array([0, 1, 0, 1]),
            out_of_fold_fold=np.array(fold),
            **more,
        )

    write(
        "both",
        [0, 0, 1, 1],
        np.concatenate([unsure, sure]),
        flips=np.stack([sure] * 3),
        out_of_fold_flips=np.concatenate([sure[::-1], sure]),
        shifts=np.stack([unsure] * 3),
        out_of_fold_shifts=np.concatenate([sure, sure]),
    )
    write("first", [0, 0, -1, -1], np.concatenate([[[0.4, 0.6], [0.2, 0.8]], np.zeros((2, 2))]))
    # A net on features has flips and no shifts.
    write(
        "features",
        [0, 0, -1, -1],
        np.concatenate([[[0.4, 0.6], [0.2, 0.8]], np.zeros((2, 2))]),
        flips=np.stack([np.eye(2)] * 2),
        out_of_fold_flips=np.concatenate([np.eye(2)[::-1], np.zeros((2, 2))]),
    )
    spec = {"dataset": "fake", "members": ["both/seeds", "first/seeds"]}
    paths = {"meta": data / "meta.json", "probabilities": [data / "both.npz", data / "first.npz"]}
    paths |= {"metrics": data / "e.json", "predictions": data / "e.csv"}
    done = run(repository, "mlp.ensemble", spec, **paths)
    assert done.returncode == 0, done.stderr
    found = json.loads((data / "e.json").read_text())
    rows = {(row["views"], row["split"]): row for row in found["rows"]}
    assert {row["model"] for row in found["rows"]} == {"Ensemble of both and first"}
    assert rows["none", "test"]["members"] == "1 seed + 1 seed"
    assert rows["none", "cv"]["members"] == "1 fold + 1 fold"
    # Fold 0: the means (0.55, 0.45) and (0.45, 0.55), where each model alone has one wrong.
    assert rows["none", "cv"]["value"] == 1.0 and rows["none", "cv"]["n_seeds"] == 1
    # With flips (0.25, 0.75) and (0.55, 0.45): the second model answers without.
    assert rows["flips", "cv"]["value"] == 0.0
    assert rows["none", "test"]["value"] == 0.5 and rows["flips", "test"]["value"] == 1.0
    # With shifts (0.65, 0.35) and (0.15, 0.85): again the first model alone has them.
    assert rows["flips and shifts", "cv"]["value"] == 1.0
    assert rows["flips and shifts", "test"]["value"] == 0.5
    # Of each model one net, and the mean time of those that were trained without a fold.
    assert rows["none", "cv"]["parameters"] == 20 and rows["none", "cv"]["train_seconds"] == 4.5
    assert rows["none", "cv"]["train_flops"] == 101.5 + 101
    assert rows["none", "test"]["train_flops"] == 200
    assert "here 0" in found["notes"]["cv"]

    paths["probabilities"] = [data / "both.npz", data / "features.npz"]
    spec = {**spec, "members": ["both/seeds", "features/seeds"]}
    done = run(repository, "mlp.ensemble", spec, **paths)
    assert done.returncode == 0, done.stderr
    found = json.loads((data / "e.json").read_text())
    rows = {(row["views"], row["split"]): row for row in found["rows"]}
    # (0.45, 0.55) and (0.55, 0.45) out of fold, (0.85, 0.15) and (0.35, 0.65) on the test part.
    assert rows["flips and shifts", "cv"]["value"] == 0.0
    assert rows["flips and shifts", "test"]["value"] == 1.0
    assert found["notes"]["read"] == {"both/seeds": "shifts", "features/seeds": "flips"}


def test_without_folds_the_grid_gives_the_cv_row_and_nothing_else_is_scored(
    repository, data, trained
):
    seeds = {kind: paths[:2] for kind, paths in trained.items()}
    choice = {"selection": data / "selection.json"}
    outputs, done = evaluated(repository, data, seeds, {"flips": False, "shifts": False}, **choice)
    assert done.returncode == 0, done.stderr
    rows = json.loads(outputs["metrics"].read_text())["rows"]
    assert [row["split"] for row in rows] == ["train", "cv", "test"]
    assert rows[1]["value"] == pytest.approx(0.95)
    assert rows[1]["train_seconds"] == 2.5 and rows[1]["train_flops"] == 100.5
    with np.load(outputs["probabilities"], allow_pickle=False) as stored:
        assert not {"flips", "shifts", "out_of_fold_p"} & set(stored.files)


def test_other_folds_than_those_of_the_training_are_refused(repository, data, trained):
    # These nets are right everywhere; their history says that they were not.
    history = json.loads(trained["histories"][-1].read_text())
    history["out_of_fold"]["accuracy"] -= 0.01
    other = data / "history.json"
    other.write_text(json.dumps(history))
    histories = {"histories": [*trained["histories"][:-1], other]}
    _, done = evaluated(repository, data, trained, **histories)
    assert done.returncode == 1 and "other folds or images" in done.stderr


def test_weights_that_are_not_those_of_the_training_are_refused(repository, data, trained):
    """Damaged ones, and ones of NaN, which no training writes."""
    path, history = trained["weights"][1], trained["histories"][1]
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["layers.1.weight"][:] = np.nan
    write_npz(path, **arrays)
    _, done = evaluated(repository, data, trained)
    assert done.returncode == 1 and "expected the sha256" in done.stderr
    write_json(history, {**json.loads(history.read_text()), "weights_sha256": file_sha256(path)})
    _, done = evaluated(repository, data, trained)
    assert done.returncode == 1 and done.stderr.startswith("error: predict: examples from 0 on")
    assert "layers.1" in done.stderr and "weight" in done.stderr
    assert not (data / "metrics.json").exists()


def test_evaluation_refuses_members_that_do_not_belong_together(repository, data, trained):
    for chosen, message in ((slice(2, 4), "at least one seed"), ([0, 0], "each part once")):
        paths = {k: list(np.array(v, dtype=object)[chosen]) for k, v in trained.items()}
        _, done = evaluated(repository, data, paths)
        assert done.returncode == 1 and message in done.stderr
    path = trained["histories"][1]
    history = json.loads(path.read_text())
    history["recipe"]["lr"] = 0.5
    write_json(path, history)
    _, done = evaluated(repository, data, trained)
    assert done.returncode == 1 and "members of one recipe" in done.stderr
    assert not (data / "metrics.json").exists()
