"""Training and evaluation of image classifiers on small made-up images, by their command lines."""

import csv
import json

import numpy as np
import pytest
import tiny_trainings
import torch

from pipeline import weights
from pipeline.errors import InputError
from pipeline.settings import read_spec
from raw import image_data
from torch_nn import image_classifier
from torch_nn.augment import shift
from vision import evaluate as evaluate_vision
from vision import train as train_vision
from vision.model import build, title
from vision.settings import EvaluateSpec, Model, Section, TrainSpec
from vision.study import first_filters

CLASSES = ["dark", "bright", "striped"]
SMALL = {"dataset": "made_up", "widths": [8, 8], "hidden": 16, "bfloat16": False}
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
    call(
        monkeypatch, train_vision, {**TRAINING, **changes},
        images=data / "images.npz", meta=data / "meta.json",
        weights=out / "model.safetensors", history=out / "history.json", checkpoint=out / "ck",
    )  # fmt: skip


def evaluate(monkeypatch, data, out, **changes):
    call(
        monkeypatch, evaluate_vision, {**SMALL, "test_time_flips": True, "examples": 5, **changes},
        images=data / "images.npz", meta=data / "meta.json",
        weights=out / "model.safetensors", histories=out / "history.json",
        metrics=out / "metrics.json", predictions=out / "predictions.csv",
        examples=out / "examples.npz", study=out / "study.npz",
    )  # fmt: skip


def call(*arguments, **paths):
    threads = torch.get_num_threads()
    try:
        tiny_trainings.call(*arguments, **paths)
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("model", "name"), [("cnn", "CNN 8-8"), ("fast_cnn", "fast CNN 8-8"), ("mlp", "MLP 8-8")]
)
def test_trains_and_evaluates_end_to_end(monkeypatch, data, model, name):
    out = data / "run"
    train(monkeypatch, data, out, model=model, bias_lr=1.0, lr=0.1, epochs=3)
    evaluate(monkeypatch, data, out, model=model)
    history = json.loads((out / "history.json").read_text())
    assert [point["step"] for point in history["curve"]] == [6, 12, 18]
    assert history["curve"][-1]["lr"] < history["curve"][0]["lr"]
    assert not (out / "ck").exists()

    metrics = json.loads((out / "metrics.json").read_text())
    rows = {(row["views"], row["split"]): row for row in metrics["rows"]}
    assert set(rows) == {(v, s) for v in ("none", "flips") for s in ("val", "test")}
    assert len(metrics["rows"]) == 4
    for row in rows.values():
        assert (row["model"], row["inputs"]) == (name, "pixels")
        assert (row["members"], row["subset"]) == ("1", "all")
        assert row["train_flops"] == history["train_flops"] > 0
    test = rows["none", "test"]
    assert test["value"] > 0.9 and test["ci_low"] <= test["value"] <= test["ci_high"]
    assert test["parameters"] == history["parameters"] and test["train_seconds"] > 0
    assert test["dataset"] == history["dataset"] == "made_up"
    for views in ("none", "flips"):
        assert rows[views, "val"]["value"] == history["val_accuracy"][views]
    assert history["val_accuracy"]["none"] == history["curve"][-1]["val_accuracy"]

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
    history = json.loads((data / "run" / "history.json").read_text())
    assert history["precision"] == precision
    assert history["provenance"]["kernels"].endswith(f", {precision}")
    monkeypatch.setattr("pipeline.precision._capabilities", lambda: {"avx512_bf16": True})
    capsys.readouterr()
    evaluate(monkeypatch, data, data / "run", bfloat16=True)
    assert f"precision: {precision}," in capsys.readouterr().out


def test_training_compute_by_hand(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    history = json.loads((data / "run" / "history.json").read_text())
    # 3x3 convolutions on 8x8, then 4x4 pixels; a hidden layer on 2x2; a head of 3 classes.
    forward = 2 * (9 * 3 * 8 * 8**2 + 9 * 8 * 8 * 4**2 + 8 * 2**2 * 16 + 16 * 3)
    assert history["train_flops"] == 3 * forward * 18 * 20
    assert [p["train_flops"] for p in history["curve"]] == [
        3 * forward * 20 * n for n in (6, 12, 18)
    ]


def test_training_compute_with_small_images_by_hand(monkeypatch, data):
    small = {"small_share": 0.5, "small_side": 6, "model": "fast_cnn", "bias_lr": 1.0}
    train(monkeypatch, data, data / "run", **small)
    history = json.loads((data / "run" / "history.json").read_text())

    def forward(side):
        grid, half = (side - 1) ** 2, ((side - 1) // 2) ** 2
        quarter = ((side - 1) // 4) ** 2
        whitening, head = 4 * 3 * 24 * grid, 8 * 3
        first = 9 * 24 * 8 * grid + 9 * 8 * 8 * half
        return 2 * (whitening + first + 9 * 8 * 8 * (half + quarter) + head)

    points = [p["train_flops"] for p in history["curve"]]
    assert points[0] == 3 * 20 * 6 * forward(6)
    assert points[1] == 3 * 20 * (9 * forward(6) + 3 * forward(8))
    assert history["train_flops"] == points[2] == 3 * 20 * 9 * (forward(6) + forward(8))


def test_a_final_training_holds_nothing_out(monkeypatch, data):
    out = data / "run"
    train(monkeypatch, data, out, validation_size=0)
    history = json.loads((out / "history.json").read_text())
    assert history["val_accuracy"] == {} and "val_loss" not in history["curve"][-1]
    assert history["curve"][-1]["step"] == 3 * (150 // 20)
    evaluate(monkeypatch, data, out)
    rows = json.loads((out / "metrics.json").read_text())["rows"]
    assert [(row["views"], row["split"]) for row in rows] == [("none", "test"), ("flips", "test")]


def test_each_image_is_flipped_in_every_other_epoch(monkeypatch, data):
    """Of the training as it is, not of the parts: what augment is given."""
    seen = []
    real = train_vision.augment

    def kept(images, *, flips, **others):
        seen.append((images.flatten(1).long().sum(1).tolist(), flips.tolist()))
        return real(images, flips=flips, **others)

    monkeypatch.setattr(train_vision, "augment", kept)
    train(monkeypatch, data, data / "run", epochs=2)
    first, second = (
        dict(pair for sums, flips in part for pair in zip(sums, flips, strict=True))
        for part in (seen[:6], seen[6:])
    )
    assert len(first) > 100 and all(first[image] != second[image] for image in first)


def test_the_study_holds_what_the_figure_shows(monkeypatch, data):
    out = data / "run"
    train(monkeypatch, data, out)
    evaluate(monkeypatch, data, out)
    with np.load(out / "study.npz") as study, np.load(data / "images.npz") as images:
        found = dict(study)
        test_x, test_y = images["test_x"], images["test_y"]
    history = json.loads((out / "history.json").read_text())
    assert found["curve"].shape == (3, 2) and found["curve"][-1, 0] == history["train_flops"]
    assert found["shifted"].shape == (5,) and found["filters"].shape == (8, 3, 3, 3)
    assert found["filters"].dtype == np.uint8 and str(found["model"]) == "CNN 8-8"
    # Half of the images of one class are not shifted alike: rows of stripes, where it matters.
    net = build(Model(**SMALL), (3, 8, 8), 3)
    weights.load_weights(out / "model.safetensors", net)
    x = torch.from_numpy(test_x.transpose(0, 3, 1, 2).copy())
    moved = x.clone()
    for place, (down, right) in enumerate(((0, 2), (0, -2), (2, 0), (-2, 0))):
        moved[place::4] = shift(x[place::4], down, right)
    p = image_classifier.probabilities(net, moved, bfloat16=False)
    assert found["shifted"][2] == (p.argmax(1).numpy() == test_y).mean()
    assert found["shifted"][0] == found["accuracy"]


def test_the_filters_of_an_mlp_are_pictures_of_what_it_looks_for():
    net = build(Model(model="mlp", widths=[3]), (3, 8, 8), 2)
    weight = net.hidden[0].weight.detach()
    order = weight.norm(dim=1).argsort(descending=True)
    found = first_filters(net)
    assert found.shape == (3, 8, 8, 3)
    strongest = weight[order[0]].view(3, 8, 8).permute(1, 2, 0)
    assert abs(found[0].astype(int) - 128).max() == 127
    assert ((found[0] > 128) == (strongest > strongest.abs().max() / 254).numpy()).all()


def test_epochs_may_be_a_fraction(monkeypatch, data):
    train(monkeypatch, data, data / "run", epochs=1.5)
    history = json.loads((data / "run" / "history.json").read_text())
    assert [point["step"] for point in history["curve"]] == [6, 9]


def test_a_diverged_loss_stops_with_step_and_rate(monkeypatch, data):
    with pytest.raises(InputError, match=r"step \d+, lr .*expected a finite loss"):
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
    _, held_out = image_data.split_by_seed(np.arange(150) % 3, 30, 1)
    train(monkeypatch, data, data / "a")
    with np.load(data / "images.npz") as stored:
        parts = {name: stored[name].copy() for name in stored.files}
    parts["train_x"][held_out] = 255
    np.savez(data / "images.npz", **parts)
    train(monkeypatch, data, data / "b")
    assert (data / "a/model.safetensors").read_bytes() == (
        data / "b/model.safetensors"
    ).read_bytes()


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
    with pytest.raises(InputError, match=r"expected seeds .* \[\(2, .*, found \[\(1, "):
        evaluate(monkeypatch, data, data / "run", seeds=[2])


def test_histories_of_another_data_set_are_refused(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    with pytest.raises(InputError, match=r"'other'\)\], found \[\(1, 'made_up'\)\]"):
        evaluate(monkeypatch, data, data / "run", dataset="other")


def test_rows_name_where_the_training_ran_and_keep_an_interval(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    path = data / "run" / "history.json"
    history = json.loads(path.read_text())
    history["provenance"] |= {"commit": "of the training", "device": "cuda", "threads": 7}
    history["provenance"]["kernels"] = "Example GPU, float32"
    path.write_text(json.dumps(history))
    evaluate(monkeypatch, data, data / "run")
    for row in json.loads((data / "run" / "metrics.json").read_text())["rows"]:
        place = row["commit"], row["device"], row["threads"], row["kernels"]
        assert place == ("of the training", "cuda", 7, "Example GPU, float32")
        if row["split"] == "test":
            assert row["ci_low"] < row["ci_high"]


def test_weights_of_another_architecture_are_refused(monkeypatch, data):
    train(monkeypatch, data, data / "run")
    with pytest.raises(InputError, match="another model"):
        evaluate(monkeypatch, data, data / "run", widths=[8, 9])


def test_names_in_the_leaderboard():
    assert title(Model(model="mlp", widths=[512, 256])) == "MLP 512-256"


@pytest.mark.parametrize(
    ("settings", "spec", "line"),
    [
        (TrainSpec, {"widths": []}, "widths: expected"),
        (TrainSpec, {"widths": [8, 0]}, r"widths\.1: expected"),
        (TrainSpec, {"batch_size": 1}, "batch_size: expected"),
        (TrainSpec, {"epochs": 0}, "epochs: expected"),
        (TrainSpec, {"model": "vit"}, "model: expected 'mlp', 'cnn' or 'fast_cnn', found"),
        (EvaluateSpec, {"seeds": [1, 1]}, "seeds: expected each entry once"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(settings, spec, line):
    with pytest.raises(InputError, match=line):
        read_spec(json.dumps(spec), settings)
    assert read_spec("{}", settings)


def test_each_model_has_its_own_settings_alone():
    section = {"dataset": "x", "models": ["mlp"], "seeds": [1], "threads": 1}
    section |= {"validation_size": 1, "examples": 1, "shifted_images": 4}
    own = {"mlp": {"dropout": 0.1}, "cnn": {"hidden": 8}, "fast_cnn": {"small_share": 0.5}}
    assert read_spec(json.dumps({**section, **own}), Section)
    for model, other in (("mlp", "cnn"), ("cnn", "fast_cnn"), ("fast_cnn", "mlp")):
        with pytest.raises(InputError, match=rf"{model}\.\w+: unknown key"):
            read_spec(json.dumps({**section, model: own[other]}), Section)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": [4] * 5}, r"vision\.cnn: 8x8 pixels cannot be halved 5 times"),
        ({"batch_size": 121}, "batch_size: expected at most the 120 training images, found 121"),
        ({"crop": 8}, "crop: expected fewer than the 8 pixels of a side, found 8"),
        (
            {"model": "fast_cnn", "small_share": 0.5, "small_side": 4},
            "small_side: expected 5 to 8 pixels, found 4",
        ),
    ],
)
def test_a_model_that_does_not_fit_the_images_is_one_line(monkeypatch, data, change, message):
    with pytest.raises(InputError, match=message):
        train(monkeypatch, data, data / "run", **change)
    assert not (data / "run" / "model.safetensors").exists()
