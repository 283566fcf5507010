"""Image data sets: real formats from tiny files made here, stand-ins as they are drawn."""

import gzip
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from forks import python

from pipeline.atomic import write_npz
from pipeline.errors import InputError
from raw import shapes
from raw.generate_images import make_digits, make_shapes
from raw.image_data import check_images, load_part, split_by_seed
from raw.images import read_cifar10, read_fashion_mnist, write_images
from raw.prepared import arrays_sha256
from raw.settings import About

SCRIPTS = Path(__file__).parents[2] / "scripts"


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def check(arrays, classes):
    for part in ("train", "test"):
        check_images(arrays[f"{part}_x"], arrays[f"{part}_y"], len(classes), part)


@pytest.fixture
def fashion(tmp_path):
    random = np.random.default_rng(0)
    for name, count in (("train", 20), ("t10k", 7)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(tmp_path / f"{name}-images-idx3-ubyte.gz", images)
        labels = np.arange(count, dtype=np.uint8) % 10
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", labels)
    return tmp_path


@pytest.fixture
def cifar(tmp_path):
    """Batch b holds images whose red, green and blue are 10 b + 1, 2, 3; one pixel differs."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    names = [f"class{i}".encode() for i in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": names}, 3))
    for number, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"], 1):
        planes = np.repeat(np.uint8([1, 2, 3]) + np.uint8(10 * number), 1024)
        data = np.tile(planes, (2, 1))
        data[1, 5] = 255  # red, row 0, column 5
        batch = {b"data": data, b"labels": [number, number - 1]}
        (folder / name).write_bytes(pickle.dumps(batch, 3))
    return tmp_path


def test_fashion_mnist(fashion):
    arrays, classes = read_fashion_mnist(fashion)
    check(arrays, classes)
    assert arrays["train_x"].shape == (20, 28, 28) and arrays["test_x"].shape == (7, 28, 28)
    assert arrays["test_y"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert classes[0] == "T-shirt/top" and classes[9] == "ankle boot" and len(classes) == 10


def test_cifar10_planes_become_colour_pixels(cifar):
    arrays, classes = read_cifar10(cifar)
    check(arrays, classes)
    assert arrays["train_x"].shape == (10, 32, 32, 3)
    assert arrays["train_x"][2, 7, 9].tolist() == [21, 22, 23], "batch 2: red, green, blue"
    assert arrays["train_x"][1, 0, 5].tolist() == [255, 12, 13]
    assert arrays["train_y"].tolist() == [1, 0, 2, 1, 3, 2, 4, 3, 5, 4]
    assert arrays["test_y"].tolist() == [6, 5]
    assert classes == [f"class{i}" for i in range(10)]


@pytest.mark.parametrize(
    "batch",
    [
        [],
        {},
        {b"data": np.zeros((2, 3071), np.uint8), b"labels": [1, 2]},
        {b"data": np.zeros((2, 3072), np.float32), b"labels": [1, 2]},
        {b"data": np.zeros((2, 3072), np.uint8), b"labels": ["a", "b"]},
    ],
)
def test_a_batch_of_another_form_is_refused(cifar, batch):
    path = cifar / "cifar-10-batches-py/data_batch_3"
    path.write_bytes(pickle.dumps(batch, 3))
    with pytest.raises(InputError, match="data_batch_3: expected a dict"):
        read_cifar10(cifar)


@pytest.mark.parametrize("meta", [[], {}, {b"label_names": "cat"}, {b"label_names": (b"cat",)}])
def test_names_of_another_form_are_refused(cifar, meta):
    (cifar / "cifar-10-batches-py/batches.meta").write_bytes(pickle.dumps(meta, 3))
    with pytest.raises(InputError, match="batches.meta: expected a dict with label_names"):
        read_cifar10(cifar)


def test_labels_that_do_not_fit_are_refused(fashion):
    write_idx(fashion / "t10k-labels-idx1-ubyte.gz", np.arange(6, dtype=np.uint8))
    with pytest.raises(InputError, match="test_y: expected 7 labels, int64, found"):
        check(*read_fashion_mnist(fashion))
    write_idx(fashion / "t10k-labels-idx1-ubyte.gz", np.full(7, 10, np.uint8))
    with pytest.raises(InputError, match="expected labels of 10 classes, 0 to 9, found 10 to 10"):
        check(*read_fashion_mnist(fashion))


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((2, 5, 5), True),
        ((2, 5, 5, 1), True),
        ((2, 5, 5, 3), True),
        ((2, 5, 5, 2), False),
        ((2, 5, 5, 4), False),
        ((2, 25), False),
        ((2, 5, 5, 3, 1), False),
    ],
)
def test_images_are_grey_or_have_three_colours(shape, fits):
    labels = np.array([0, 1])
    if fits:
        check_images(np.zeros(shape, np.uint8), labels, 2, "made")
        return
    with pytest.raises(InputError, match=r"made_x: expected uint8 images .*found uint8 \(2, "):
        check_images(np.zeros(shape, np.uint8), labels, 2, "made")


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((2, 5, 5), np.int64), np.array([0, 1]), "made_x: expected uint8 images"),
        (np.zeros((2, 5, 5), np.uint8), np.array([0, 1], np.int32), "made_y: .*found int32"),
        (np.zeros((2, 5, 5), np.uint8), np.array([[0], [1]]), r"made_y: .*found int64 \(2, 1\)"),
        (np.zeros((2, 5, 5), np.uint8), np.array([-1, 1]), "0 to 1, found -1 to 1"),
        (np.zeros((2, 5, 5), np.uint8), np.array([0, 2]), "0 to 1, found 0 to 2"),
        (np.zeros((0, 5, 5), np.uint8), np.zeros(0, np.int64), "made_y: expected 0 labels"),
    ],
)
def test_images_and_labels_of_other_forms_are_refused(x, y, says):
    with pytest.raises(InputError, match=says):
        check_images(x, y, 2, "made")


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_part_comes_with_channels_first(tmp_path, channels):
    x = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    x = x if channels == (3,) else x[..., :1] if channels else x[..., 0]
    write_npz(tmp_path / "i.npz", test_x=x, test_y=np.array([1, 0]))
    images, labels = load_part(tmp_path / "i.npz", "test", 2)
    assert images.shape == (2, *(channels or (1,)), 4, 5) and images.flags.c_contiguous
    np.testing.assert_array_equal(images[:, 0], x if not channels else x[..., 0])
    np.testing.assert_array_equal(images[:, -1], x if not channels else x[..., -1])
    assert labels.tolist() == [1, 0]


def test_a_validation_split_is_disjoint_sorted_whole_stratified_and_by_seed():
    labels = np.repeat([0, 1, 2], [26, 12, 12])
    kept, held_out = split_by_seed(labels, 8, seed=1)
    assert len(held_out) == 8 and sorted([*kept, *held_out]) == list(range(50))
    assert list(kept) == sorted(kept) and list(held_out) == sorted(held_out)
    assert np.bincount(labels[held_out]).tolist() == [4, 2, 2]
    assert held_out.tolist() == split_by_seed(labels, 8, seed=1)[1].tolist()
    assert held_out.tolist() != split_by_seed(labels, 8, seed=2)[1].tolist()
    assert [len(part) for part in split_by_seed(labels[:2], 1, seed=1)] == [1, 1]
    assert [len(part) for part in split_by_seed(labels, 0, seed=1)] == [50, 0]
    for size in (-1, 50, 51):
        with pytest.raises(InputError, match=f"expected 0 to 49 of 50 images, found {size}"):
            split_by_seed(labels, size, seed=1)


def test_digits_are_split_by_class_and_seed():
    arrays, classes = make_digits(0.2, seed=1)
    check(arrays, classes)
    assert len(arrays["train_x"]) + len(arrays["test_x"]) == 1797
    assert arrays["train_x"].max() == 255
    shares = np.bincount(arrays["test_y"]) / np.bincount(arrays["train_y"])
    assert np.all(abs(shares - 0.25) < 0.02)
    again, other = make_digits(0.2, seed=1)[0], make_digits(0.2, seed=2)[0]
    assert arrays_sha256(arrays) == arrays_sha256(again) != arrays_sha256(other)


def test_shapes_are_balanced_and_follow_the_seed():
    arrays, classes = make_shapes(200, 100, seed=3)
    check(arrays, classes)
    assert np.bincount(arrays["train_y"]).tolist() == [20] * 10
    assert np.bincount(arrays["test_y"]).tolist() == [10] * 10
    again = make_shapes(200, 100, seed=3)[0]
    assert arrays_sha256(arrays) == arrays_sha256(again)
    assert arrays_sha256(arrays) != arrays_sha256(make_shapes(200, 100, seed=4)[0])
    more = make_shapes(200, 150, seed=3)[0]
    assert arrays_sha256({"x": more["train_x"]}) == arrays_sha256({"x": arrays["train_x"]})


def test_every_shape_has_an_inside_within_the_unit_circle():
    axis = np.linspace(-1.5, 1.5, 121)
    x, y = np.meshgrid(axis, axis)
    inside = np.array([shapes.shape_distance(kind, x, y) < 0 for kind in range(10)])
    areas = inside.mean(axis=(1, 2)) * 9  # the grid covers 3 x 3
    assert np.all((areas > 0.5) & (areas < np.pi)), dict(zip(shapes.CLASSES, areas, strict=True))
    assert not inside[:, np.hypot(x, y) > 1.15].any()
    overlap = (inside[:, None] & inside).sum((2, 3)) / (inside[:, None] | inside).sum((2, 3))
    assert np.all(overlap[~np.eye(10, dtype=bool)] < 0.9), "two shapes are nearly the same"


def test_distances_agree_with_geometry():
    """Areas of the shapes that a formula gives exactly."""
    axis = np.linspace(-1.2, 1.2, 801)
    x, y = np.meshgrid(axis, axis)
    areas = {
        "circle": np.pi * 0.85**2,
        "square": 1.5**2,
        "triangle": 3 / 2 * np.sin(2 * np.pi / 3),
        "pentagon": 5 / 2 * np.sin(2 * np.pi / 5),
        "star": 5 * 0.4 * np.sin(np.pi / 5),
        "cross": 2 * 1.9 * 0.6 - 0.6**2,
        "ring": np.pi * (0.92**2 - 0.48**2),
        "half disc": np.pi * 0.95**2 / 2,
    }
    for name, area in areas.items():
        kind = shapes.CLASSES.index(name)
        found = (shapes.shape_distance(kind, x, y) < 0).mean() * 2.4**2
        assert found == pytest.approx(area, rel=0.02), name


def test_colour_does_not_tell_the_class():
    """The mean colours of two classes differ by no more than chance allows."""
    images = make_shapes(2000, 10, seed=1)[0]
    corner = images["train_x"][:, 0, 0].astype(float)
    means = np.array([corner[images["train_y"] == kind].mean(0) for kind in range(10)])
    deviation = corner.std(0) / np.sqrt(200)
    assert np.all(abs(means - corner.mean(0)) < 4 * deviation)


def test_written_files_say_what_they_are(tmp_path, fashion):
    arrays, classes = read_fashion_mnist(fashion)
    about = {"title": "T", "stand_in": False, "description": "D", "licence": "L", "citation": "C"}
    write_images(tmp_path / "i.npz", tmp_path / "m.json", "toy", About(**about), arrays, classes)
    meta = json.loads((tmp_path / "m.json").read_text())
    assert meta["sizes"] == {"train": 20, "test": 7} and meta["image_shape"] == [28, 28]
    assert {key: meta[key] for key in about} == about
    with np.load(tmp_path / "i.npz", allow_pickle=False) as stored:
        assert meta["data_sha256"] == arrays_sha256(dict(stored))
        assert set(stored.files) == {"train_x", "train_y", "test_x", "test_y"}


@pytest.mark.slow
def test_the_program_reads_real_files_or_says_in_one_line_what_is_wrong(tmp_path, fashion):
    program = ["-m", "raw.prepare_images", "--spec", '{"dataset": "fashion_mnist"}']
    program += ["--raw", str(fashion), "--images", str(tmp_path / "i.npz")]
    program += ["--meta", str(tmp_path / "m.json")]
    done = python(*program)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "i.npz").exists() and (tmp_path / "m.json").exists()
    (tmp_path / "i.npz").unlink()
    (fashion / "train-labels-idx1-ubyte.gz").unlink()
    failed = python(*program)
    assert failed.returncode == 1 and failed.stderr.startswith("error: ")
    assert "train-labels-idx1-ubyte.gz" in failed.stderr and "Traceback" not in failed.stderr
    assert not (tmp_path / "i.npz").exists()
