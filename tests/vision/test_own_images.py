"""Pictures of one's own: what is read, what is refused in one line, a model used on them."""

import csv
import json

import numpy as np
import pytest
import tiny_trainings
import torch
from PIL import Image

from pipeline.errors import InputError
from pipeline.weights import save_weights
from raw import prepare_images
from vision import own_images, predict
from vision.model import build
from vision.own_images import SIDE, collect, read_picture
from vision.settings import Stored


def picture(path, seed, size=(40, 40), mode="RGB", **options):
    """A picture of random colours, smooth enough that JPEG keeps them apart."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize(size).convert(mode).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Two classes of twelve pictures each, one of them in a folder of its own."""
    for number in range(12):
        picture(tmp_path / "pets" / "cat" / f"{number:02d}.png", number)
        inner = "more/" if number == 5 else ""
        picture(tmp_path / "pets" / "dög" / f"{inner}{number:02d}.JPG", 100 + number)
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("no picture")
    (tmp_path / "pets" / ".hidden").mkdir()
    return tmp_path / "pets"


def test_a_folder_per_class_becomes_arrays_split_by_class(monkeypatch, folder, tmp_path):
    raw = tmp_path / "raw" / "images.npz"
    told, changes = collect(folder, raw)
    assert told == "24 pictures of 2 classes, 32x32 pixels"
    assert changes["models"] == ["fast_cnn"] and changes["validation_size"] == 2
    out = {"images": tmp_path / "i.npz", "meta": tmp_path / "m.json"}
    spec = {"dataset": "own/pets"}
    tiny_trainings.call(monkeypatch, prepare_images, spec, raw=raw.parent, **out)
    with np.load(tmp_path / "i.npz") as found:
        assert found["train_x"].shape == (20, 32, 32, 3) and found["test_x"].shape == (4, 32, 32, 3)
        assert np.bincount(found["test_y"]).tolist() == [2, 2]
        every = np.concatenate([found["train_x"], found["test_x"]])
    assert len(np.unique(every.reshape(24, -1), axis=0)) == 24
    assert json.loads((tmp_path / "m.json").read_text())["classes"] == ["cat", "dög"]
    again = raw.read_bytes()
    collect(folder, raw)
    assert raw.read_bytes() == again


def test_a_picture_is_turned_as_exif_says(tmp_path):
    image = Image.new("RGB", (32, 32), "black")
    image.paste("white", (0, 0, 32, 16))  # the upper half
    turned = Image.Exif()
    turned[0x0112] = 6  # shown turned by 90 degrees clockwise: what is up is then on the right
    image.save(tmp_path / "p.png", exif=turned)
    found = read_picture(tmp_path / "p.png").astype(int)
    assert found[:, 24:].min() > 200 and found[:, :8].max() < 50


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA"])
def test_every_kind_of_colour_is_read(tmp_path, mode):
    grey = np.full((40, 40), 200, np.uint8)
    image = Image.fromarray(grey)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) << 8)
    elif mode == "1":
        image = Image.fromarray(np.full((40, 40), 255, np.uint8)).convert("1")
    else:
        image = image.convert(mode)
    path = tmp_path / ("p.jpg" if mode == "CMYK" else "p.png")
    image.save(path)
    found = read_picture(path)
    assert found.shape == (SIDE, SIDE, 3) and found.dtype == np.uint8
    assert abs(found.astype(int) - (255 if mode == "1" else 200)).max() < 4


def test_what_is_transparent_is_white_and_the_middle_is_kept(tmp_path):
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png") == 255).all()
    wide = Image.new("RGB", (96, 32), "red")
    wide.paste("blue", (32, 0, 64, 32))
    wide.save(tmp_path / "wide.png")
    assert (read_picture(tmp_path / "wide.png") == (0, 0, 255)).mean() > 0.9


def test_a_repeated_picture_is_left_out(folder, tmp_path):
    picture(folder / "cat" / "again.png", 3)
    told, _ = collect(folder, tmp_path / "i.npz")
    assert told == "24 pictures of 2 classes, 32x32 pixels (1 repeated ones left out)"


def cut(folder):
    path = folder / "cat" / "00.png"
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (cut, r"cat/00\.png: expected a PNG or JPEG picture: "),
        (lambda f: (f / "cat" / "x.png").write_text("text"), r"cat/x\.png: expected a PNG or JPEG"),
        (lambda f: (f / "cat" / "x.png").write_bytes(b""), r"cat/x\.png: expected a PNG or JPEG"),
        (lambda f: picture(f / "cat" / "x.png", 1, format="GIF"), r"x\.png: expected a PNG or"),
        (lambda f: picture(f / "cat" / "z.png", 7) or picture(f / "emu" / "z.png", 7),
         r"emu/z\.png: the same picture as .*cat/07\.png, which is of another class"),
        (lambda f: picture(f / "emu" / "a.png", 50),
         r"emu: expected at least 10 different PNG or JPEG pictures, found 1"),
        (lambda f: (f / "emu").mkdir(), r"emu: expected at least 10 .*, found 0"),
    ],
)  # fmt: skip
def test_a_picture_or_class_that_does_not_fit_is_one_line(folder, tmp_path, change, line):
    change(folder)
    with pytest.raises(InputError, match=line) as caught:
        collect(folder, tmp_path / "i.npz")
    assert "\n" not in str(caught.value) and not (tmp_path / "i.npz").exists()


def test_a_folder_without_two_classes_is_one_line(folder, tmp_path):
    for data, found in (
        (folder / "cat" / "00.png", "found a file"),
        (folder / "nowhere", "found nothing there"),
        (folder / "cat", "found none"),
        (folder / "dög", "found only 'more'"),
    ):
        with pytest.raises(InputError, match="a folder for each") as caught:
            collect(data, tmp_path / "i.npz")
        assert found in str(caught.value)


def test_few_pictures_are_passed_over_more_often(folder, tmp_path, monkeypatch):
    _, few = collect(folder, tmp_path / "i.npz")
    assert few["fast_cnn"] == {"epochs": 300, "batch_size": 8, "bias_lr": 2.6}
    monkeypatch.setattr(own_images, "SEEN", 16)
    assert "fast_cnn" not in collect(folder, tmp_path / "i.npz")[1]


def test_a_model_is_used_from_its_file_alone(monkeypatch, folder, tmp_path):
    about = Stored(model="fast_cnn", widths=[4], image_shape=[3, 32, 32], classes=["cat", "dög"])
    torch.manual_seed(0)
    net = build(about, about.image_shape, 2)
    save_weights(tmp_path / "w.safetensors", net, about)
    paths = {"weights": tmp_path / "w.safetensors", "out": tmp_path / "p.csv"}
    threads = torch.get_num_threads()
    try:
        tiny_trainings.call(monkeypatch, predict, {}, pictures=folder, **paths)
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(threads)
    with (tmp_path / "p.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 24 and rows[0]["picture"] == str(folder / "cat" / "00.png")
    for row in rows:
        shares = {name: float(row[name]) for name in ("cat", "dög")}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert row["class"] == max(shares, key=shares.get)
    save_weights(paths["weights"], net, about.model_copy(update={"image_shape": [1, 28, 28]}))
    with pytest.raises(InputError, match=r"32x32 pixels in colour, found \[1, 28, 28\]"):
        tiny_trainings.call(monkeypatch, predict, {}, pictures=folder, **paths)
