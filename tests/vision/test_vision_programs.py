"""train_vision.py and evaluate_vision.py on small made-up images, through their command lines."""

import csv
import json
import sys

import numpy as np
import pytest
import torch

from pipeline import checkpoint
from pipeline.errors import InputError
from raw import image_data
from vision import evaluate as evaluate_vision
from vision import train as train_vision
from vision import training as vision_training
from vision.model import Architecture

CLASSES = ["dark", "bright", "striped"]
SMALL = {"dataset": "made_up", "widths": [8, 8], "stem": 4, "bfloat16": False}
TRAINING = {**SMALL, "epochs": 3, "batch_size": 20, "validation_size": 30, "crop": 1}


def images(n, seed):
    """Dark, bright and striped 8x8 pictures: what a working model tells apart at once."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    x = random.integers(0, 60, (n, 8, 8, 3))
    x[labels == 1] += 180
    x[labels == 2, ::2] += 180
    return x.astype(np.uint8), labels.astype(np.int64)


@pytest.fixture
def data(tmp_path):
    train_x, train_y = images(150, 0)
    test_x, test_y = images(60, 1)
    np.savez(
        tmp_path / "images.npz", train_x=train_x, train_y=train_y, test_x=test_x, test_y=test_y
    )
    meta = {"dataset": "made_up", "classes": CLASSES, "data_sha256": "00"}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    return tmp_path


def train(monkeypatch, data, out, **changes):
    out.mkdir(exist_ok=True)
    spec = {**TRAINING, **changes}
    if spec.get("model") == "mlp":
        spec.pop("stem")
    call(
        monkeypatch, train_vision, spec, images=data / "images.npz", meta=data / "meta.json",
        weights=out / "model.safetensors", history=out / "history.json", checkpoint=out / "ck",
    )  # fmt: skip


def evaluate(monkeypatch, data, out, **changes):
    call(
        monkeypatch, evaluate_vision, {**SMALL, "test_time_flips": True, "examples": 5, **changes},
        images=data / "images.npz", meta=data / "meta.json",
        weights=out / "model.safetensors", histories=out / "history.json",
        metrics=out / "metrics.json", predictions=out / "predictions.csv",
        examples=out / "examples.npz",
    )  # fmt: skip


def call(monkeypatch, program, spec, **paths):
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    monkeypatch.setattr(sys, "argv", ["program", "--spec", json.dumps(spec), *options])
    threads = torch.get_num_threads()
    try:
        program.main()
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(threads)


def test_trains_and_evaluates_end_to_end(monkeypatch, data):
    out = data / "run"
    train(monkeypatch, data, out)
    evaluate(monkeypatch, data, out)
    history = json.loads((out / "history.json").read_text())
    assert [point["step"] for point in history["curve"]] == [6, 12, 18]
    assert history["curve"][-1]["lr"] < history["curve"][0]["lr"]
    assert not (out / "ck").exists()

    metrics = json.loads((out / "metrics.json").read_text())
    rows = {(row["model"], row["split"]): row for row in metrics["rows"]}
    assert set(rows) == {(m, s) for m in ("CNN 8-8", "CNN 8-8 + flips") for s in ("val", "test")}
    test = rows["CNN 8-8", "test"]
    assert test["value"] > 0.9 and test["ci_low"] <= test["value"] <= test["ci_high"]
    assert test["parameters"] == history["parameters"] and test["train_seconds"] > 0
    assert test["dataset"] == history["dataset"] == "made_up"
    assert rows["CNN 8-8", "val"]["value"] == history["validation"]["accuracy"]

    with (out / "predictions.csv").open() as opened:
        found = list(csv.DictReader(opened))
    with np.load(data / "images.npz") as stored:
        assert [int(line["label"]) for line in found] == stored["test_y"].tolist()
    right = np.mean([line["label"] == line["prediction"] for line in found])
    assert right == pytest.approx(test["value"])
    p = np.array([[float(line[f"p_{k}"]) for k in range(3)] for line in found])
    assert np.allclose(p.sum(1), 1, atol=1e-5)
    with np.load(out / "examples.npz", allow_pickle=False) as examples:
        assert examples["images"].shape == (5, 8, 8, 3) and examples["images"].dtype == np.uint8
        assert examples["classes"].tolist() == CLASSES


@pytest.mark.parametrize(("units", "precision"), [(False, "float32"), (True, "bfloat16")])
def test_evaluation_takes_the_precision_of_the_training(
    monkeypatch, capsys, data, units, precision
):
    """Also on a node that has units for bfloat16, after a training on one that has none."""
    monkeypatch.setattr("pipeline.precision._capabilities", lambda: {"avx512_bf16": units})
    train(monkeypatch, data, data / "run", bfloat16=True)
    assert json.loads((data / "run" / "history.json").read_text())["precision"] == precision
    monkeypatch.setattr("pipeline.precision._capabilities", lambda: {"avx512_bf16": True})
    capsys.readouterr()
    evaluate(monkeypatch, data, data / "run", bfloat16=True)
    assert f"precision: {precision}," in capsys.readouterr().out


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("stop", [4, 6, 11])
def test_resumed_training_equals_an_uninterrupted_one(monkeypatch, data, model, stop):
    # Where the processor has no units for bfloat16 it is emulated here, slowly and all the same.
    monkeypatch.setattr("pipeline.precision._capabilities", lambda: {"avx512_bf16": True})
    settings = {"model": model, "dropout": 0.2, "cutout": 2, "bfloat16": True}
    train(monkeypatch, data, data / "whole", **settings)
    step, calls = vision_training.classifier.train_step, []

    def killed(*args, **kwargs):
        if len(calls) == stop:
            raise KeyboardInterrupt
        calls.append(1)
        return step(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(vision_training.classifier, "train_step", killed)
        with pytest.raises(KeyboardInterrupt):
            train(patch, data, data / "cut", checkpoint_seconds=1e-9, **settings)
    assert not (data / "cut" / "history.json").exists()
    counted = []

    def counting(*args, **kwargs):
        counted.append(1)
        return step(*args, **kwargs)

    monkeypatch.setattr(vision_training.classifier, "train_step", counting)
    train(monkeypatch, data, data / "cut", checkpoint_seconds=1e-9, **settings)
    assert len(counted) == 18 - stop  # it went on, it did not begin again
    weights = [(data / run / "model.safetensors").read_bytes() for run in ("whole", "cut")]
    assert weights[0] == weights[1]
    curves = [
        json.loads((data / run / "history.json").read_text())["curve"] for run in ("whole", "cut")
    ]
    assert curves[0] == curves[1]


def test_a_checkpoint_of_other_settings_is_not_resumed(monkeypatch, data):
    with monkeypatch.context() as patch:
        patch.setattr(train_vision, "save_weights", lambda *a: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(patch, data, data / "a", checkpoint_seconds=1e-9)
    train(monkeypatch, data, data / "b", lr=0.05)
    train(monkeypatch, data, data / "a", lr=0.05)
    files = [(data / run / "model.safetensors").read_bytes() for run in "ab"]
    assert files[0] == files[1]


def test_a_diverged_loss_stops_with_step_and_rate(monkeypatch, data):
    with pytest.raises(InputError, match=r"loss is (nan|inf) at step \d+, lr"):
        train(monkeypatch, data, data / "run", lr=1e38, warmup=0.0)


def test_training_never_reads_test_images_nor_evaluation_training_labels(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    with np.load(data / "images.npz") as stored:
        parts = {name: stored[name] for name in stored.files}
    weights = (data / "run" / "model.safetensors").read_bytes()
    # keys that are missing would raise if they were read.
    np.savez(data / "images.npz", train_x=parts["train_x"], train_y=parts["train_y"])
    train(monkeypatch, data, data / "run")
    assert (data / "run" / "model.safetensors").read_bytes() == weights
    np.savez(data / "images.npz", test_x=parts["test_x"], test_y=parts["test_y"])
    evaluate(monkeypatch, data, data / "run")


def test_validation_images_are_not_trained_on(monkeypatch, data):
    kept, held_out = image_data.split_by_seed(150, 30, 1)
    assert sorted([*kept, *held_out]) == list(range(150)) and len(held_out) == 30
    assert not np.array_equal(held_out, image_data.split_by_seed(150, 30, 2)[1])
    train(monkeypatch, data, data / "a")
    with np.load(data / "images.npz") as stored:
        parts = {name: stored[name].copy() for name in stored.files}
    parts["train_x"][held_out] = 255
    np.savez(data / "images.npz", **parts)
    train(monkeypatch, data, data / "b")
    assert (data / "a/model.safetensors").read_bytes() == (
        data / "b/model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("size", [0, 150, 200])
def test_a_validation_part_that_does_not_fit_is_refused(size):
    with pytest.raises(InputError, match="validation_size"):
        image_data.split_by_seed(150, size, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_x": np.zeros((4, 8, 8, 2), np.uint8)}, "train_x: expected uint8 images"),
        ({"train_x": np.zeros((4, 64), np.uint8)}, r"found uint8 \(4, 64\)"),
        ({"train_x": np.zeros((4, 8, 8), np.float32)}, "found float32"),
        ({"train_y": np.zeros(3, np.int64)}, "train_y: expected 4 labels"),
        ({"train_y": np.array([0, 1, 2, -1])}, "expected labels of 3 classes"),
        ({"train_y": None}, "train_y"),
    ],
)
def test_wrong_arrays_are_named(tmp_path, arrays, message):
    good = {"train_x": np.zeros((4, 8, 8, 3), np.uint8), "train_y": np.zeros(4, np.int64)}
    merged = {k: v for k, v in {**good, **arrays}.items() if v is not None}
    np.savez(tmp_path / "images.npz", **merged)
    with pytest.raises(InputError, match=message):
        image_data.load_part(tmp_path / "images.npz", "train", 3)


def test_grey_images_get_a_channel(tmp_path):
    x = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8)
    np.savez(tmp_path / "i.npz", train_x=x, train_y=np.zeros(4, np.int64))
    found, _ = image_data.load_part(tmp_path / "i.npz", "train", 3)
    assert found.shape == (4, 1, 8, 8) and np.array_equal(found[:, 0], x)


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "images.npz").write_bytes(b"PK no archive")
    with pytest.raises(InputError, match="expected an .npz"):
        image_data.load_part(tmp_path / "images.npz", "train", 3)
    (tmp_path / "meta.json").write_text('{"dataset": "x", "classes": null}')
    with pytest.raises(InputError, match="expected a JSON object with dataset, classes"):
        image_data.load_meta(tmp_path / "meta.json")


def test_labels_beyond_the_classes_are_refused(monkeypatch, data):
    (data / "meta.json").write_text('{"dataset": "x", "classes": ["a", "b"], "data_sha256": ""}')
    with pytest.raises(InputError, match="labels of 2 classes"):
        train(monkeypatch, data, data / "run")


def test_histories_of_other_seeds_are_refused(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    with pytest.raises(InputError, match=r"expected seeds \[2\], found \[1\]"):
        evaluate(monkeypatch, data, data / "run", seeds=[2])


def test_histories_of_another_data_set_are_refused(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    with pytest.raises(InputError, match=r"expected those of other, found \['made_up'\]"):
        evaluate(monkeypatch, data, data / "run", dataset="other")


def test_rows_name_where_the_training_ran_and_keep_an_interval(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    path = data / "run" / "history.json"
    history = json.loads(path.read_text())
    history["provenance"] |= {"commit": "of the training", "device": "cuda", "threads": 7}
    path.write_text(json.dumps(history))
    evaluate(monkeypatch, data, data / "run")
    for row in json.loads((data / "run" / "metrics.json").read_text())["rows"]:
        place = row["commit"], row["device"], row["threads"]
        assert place == ("of the training", "cuda", 7)
        if row["split"] == "test":
            assert row["ci_low"] < row["ci_high"]


def test_weights_of_another_architecture_are_refused(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    with pytest.raises(InputError, match="another model"):
        evaluate(monkeypatch, data, data / "run", widths=[8, 9])


def test_names_in_the_leaderboard():
    assert Architecture(model="mlp", widths=[512, 256]).title() == "MLP 512-256"


def test_a_checkpoint_is_that_of_its_settings(tmp_path):
    first, second = (checkpoint.Checkpoint(tmp_path, key) for key in "ab")
    assert first.key != second.key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": [4] * 5}, r"vision\.cnn: 8x8 pixels cannot be halved 5 times"),
        ({"crop": 8}, "crop: expected fewer than the 8 pixels of a side, found 8"),
    ],
)
def test_a_model_that_does_not_fit_the_images_is_one_line(monkeypatch, data, change, message):
    with pytest.raises(InputError, match=message):
        train(monkeypatch, data, data / "run", **change)
    assert not (data / "run" / "model.safetensors").exists()
