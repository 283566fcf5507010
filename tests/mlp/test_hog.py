"""Histograms of oriented gradients: scikit-image as oracle, flips, files, the program."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from forks import python
from skimage.feature import hog as skimage_hog

from mlp import hog
from mlp.extract_hog import views
from mlp.feature_file import load_features, shifted
from mlp.hog import dalal_triggs, felzenszwalb
from mlp.settings import HogPart
from pipeline.errors import InputError

RANDOM = np.random.default_rng(0)


def pictures(count: int, side: int) -> np.ndarray:
    """Random blots on black: smooth places, edges, black corners."""
    random = np.random.default_rng(side)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    middle, size = random.uniform(0, side, (2, count, 1, 1)), random.uniform(1, side, (count, 1, 1))
    away = np.hypot(x - middle[0], y - middle[1])
    noisy = 255 * (away < size / 2) * random.uniform(0.5, 1, (count, side, side))
    return noisy.astype(np.uint8)


@pytest.mark.parametrize(
    ("side", "cell", "orientations", "block"),
    [(28, 4, 9, 3), (28, 7, 9, 2), (28, 14, 12, 1), (8, 4, 8, 2), (8, 2, 9, 2), (12, 3, 6, 4)],
)
def test_dalal_triggs_is_scikit_images_hog_of_each_image(side, cell, orientations, block):
    images = pictures(12, side)
    images[3] = 0
    framed = np.pad(images, ((0, 0), (cell, cell), (cell, cell)))
    wanted = [
        skimage_hog(image, orientations, (cell, cell), (block, block), feature_vector=False)
        for image in framed
    ]
    wanted = np.array(wanted)[:, 1:-1, 1:-1].reshape(len(images), -1)
    found = dalal_triggs(images, cell, orientations, block)
    assert found.dtype == np.float32 and np.allclose(found, wanted, rtol=0, atol=1e-6)
    alone = np.concatenate(
        [dalal_triggs(images[i : i + 1], cell, orientations, block) for i in (5, 6)]
    )
    assert np.allclose(found[5:7], alone, rtol=0, atol=1e-6), "an image depends on its neighbours"


def slow_felzenszwalb(image: np.ndarray, cell: int, orientations: int) -> np.ndarray:
    """The same from the formulas, one pixel, cell and neighbourhood after the other."""
    side = len(image)
    cells = round(side / cell)
    width = side / cells
    framed = np.pad(image / 255, 1)
    counted = np.zeros((cells, cells, orientations))
    for y in range(side):
        for x in range(side):
            down = framed[y + 2, x + 1] - framed[y, x + 1]
            right = framed[y + 1, x + 2] - framed[y + 1, x]
            angle = np.arctan2(down, right) % np.pi / np.pi * orientations
            for o in range(orientations):
                away = abs(angle - o)
                away = min(away, orientations - away)
                for r in range(cells):
                    for c in range(cells):
                        near = [
                            max(0, 1 - abs(at - ((k + 0.5) * width - 0.5)) / width) / width
                            for at, k in ((y, r), (x, c))
                        ]
                        share = max(0, 1 - away) * near[0] * near[1]
                        counted[r, c, o] += share * np.hypot(down, right)
    energy = np.pad((counted**2).sum(axis=2), 1)
    found = np.zeros((cells, cells, orientations + 4))
    for r in range(cells):
        for c in range(cells):
            for corner, (i, j) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
                around = np.sqrt(energy[r + i : r + i + 2, c + j : c + j + 2].sum()) + 0.02
                normalised = np.minimum(counted[r, c] / around, 0.3)
                found[r, c, :orientations] += normalised / 4
                found[r, c, orientations + corner] = normalised.sum() / 4
    return found.reshape(-1)


@pytest.mark.parametrize(("side", "cell", "orientations"), [(8, 4, 8), (8, 2, 5), (10, 3, 6)])
def test_felzenszwalb_follows_its_formulas(side, cell, orientations):
    images = pictures(3, side)
    found = felzenszwalb(images, cell, orientations)
    wanted = [slow_felzenszwalb(image, cell, orientations) for image in images]
    assert found.dtype == np.float32 and np.allclose(found, wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    "part",
    [
        HogPart(cell=4),
        HogPart(cell=2, orientations=7),
        HogPart(kind="dalal_triggs", cell=4, orientations=9, block=2),
    ],
)
def test_features_lie_between_zero_and_their_limit(part):
    noise = RANDOM.integers(0, 2, (200, 8, 8), dtype=np.uint8) * 255
    stripes = np.tile(np.uint8([0, 255, 255, 0]), (1, 8, 2))
    images = np.concatenate([noise, pictures(50, 8), stripes, np.zeros((1, 8, 8), np.uint8)])
    found = hog.features(part, images)
    assert found.min() >= 0 and found.max() <= hog.limit(part) * (1 + 1e-6)
    assert np.all(found[-1] == 0), "a black image has no edges"


@pytest.mark.parametrize(("side", "cell", "orientations"), [(28, 4, 8), (28, 2, 9), (8, 3, 5)])
def test_a_flipped_image_only_permutes_felzenszwalb(side, cell, orientations):
    part = HogPart(cell=cell, orientations=orientations)
    images = pictures(40, side)
    p = hog.flip(part, side, side)
    found = hog.features(part, np.ascontiguousarray(images[:, :, ::-1]))
    assert np.array_equal(p[p], np.arange(len(p))), "flipping twice changes nothing"
    assert np.allclose(found, hog.features(part, images)[:, p], rtol=0, atol=1e-6)


def test_a_flipped_image_does_not_permute_dalal_triggs():
    assert hog.flip(HogPart(kind="dalal_triggs"), 8, 8) is None
    images = pictures(40, 8)
    plain, flipped = (dalal_triggs(x, 4, 9, 1) for x in (images, images[:, :, ::-1]))
    assert abs(np.sort(plain, axis=1) - np.sort(flipped, axis=1)).max() > 0.01


@pytest.mark.parametrize(
    ("part", "side"),
    [
        (HogPart(kind="dalal_triggs", cell=3), 8),
        (HogPart(kind="dalal_triggs", cell=4, block=3), 8),
        (HogPart(cell=17), 8),
    ],
)
def test_cells_that_do_not_fit_are_refused(part, side):
    with pytest.raises(InputError, match="hog: .*8x8"):
        hog.features(part, pictures(2, side))


def test_shifted_moves_pixels_and_lets_black_in():
    images = RANDOM.integers(1, 256, (5, 6, 7), dtype=np.uint8)
    assert np.array_equal(shifted(images, 0, 0), images)
    moved = shifted(images, 2, -1)
    assert np.array_equal(moved[:, 2:, :-1], images[:, :-2, 1:])
    assert not moved[:, :2].any() and not moved[:, :, -1].any()
    assert not shifted(images, 6, 0).any()


def test_views_are_a_cross():
    assert views(0, False) == [(0, 0, False)]
    assert views(1, True)[:4] == [(0, 0, False), (0, 0, True), (1, 0, False), (1, 0, True)]
    assert len(views(2, False)) == 9 and len(set(views(2, True))) == 18


def run(folder: Path, **settings) -> subprocess.CompletedProcess:
    command = ["-m", "mlp.extract_hog", "--spec", json.dumps(settings)]
    command += ["--images", str(folder / "images.npz"), "--meta", str(folder / "hog/meta.json")]
    for split in ("train", "test"):
        command += [f"--{split}", str(folder / f"hog/{split}.npy")]
    return python(*command)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """images.npz of 30 + 7 pictures of 8x8, and their features in both kinds."""
    folder = tmp_path_factory.mktemp("data")
    images = pictures(37, 8)
    labels = np.arange(37) % 3
    np.savez(
        folder / "images.npz",
        train_x=images[:30],
        train_y=labels[:30],
        test_x=images[30:],
        test_y=labels[30:],
    )
    done = run(folder, dataset="toy", parts=[{"cell": 4}, {"cell": 2, "orientations": 6}], shift=1)
    assert done.returncode == 0, done.stderr
    return folder


def load(folder, split="train", shape=(30, 8, 8)):
    return load_features(folder / "hog", split, folder / "images.npz", shape)


@pytest.mark.slow
def test_the_program_stores_the_quantised_features_of_every_view(folder):
    images = pictures(37, 8)[:30]
    found = load(folder)
    assert found.values.shape == (5, 30, 4 * 12 + 16 * 10)
    assert found.grids == ((2, 2, 12), (4, 4, 10))
    for number, (down, right, _) in enumerate(found.views):
        for part, columns in (
            (HogPart(), slice(48)),
            (HogPart(cell=2, orientations=6), slice(48, None)),
        ):
            exact = hog.features(part, shifted(images, down, right))
            stored = found.values[number, :, columns] * (hog.limit(part) / 255)
            assert abs(stored - exact).max() <= hog.limit(part) / 255 / 2 + 1e-6
    assert load(folder, "test", (7, 8, 8)).values.shape == (1, 7, 208)


@pytest.mark.slow
def test_the_program_writes_the_same_bytes_again_and_stores_flips_where_it_must(folder, tmp_path):
    (tmp_path / "images.npz").write_bytes((folder / "images.npz").read_bytes())
    parts = [{"cell": 4}, {"cell": 2, "orientations": 6}]
    assert run(tmp_path, dataset="toy", parts=parts, shift=1).returncode == 0
    for name in ("train.npy", "test.npy", "meta.json"):
        assert (tmp_path / "hog" / name).read_bytes() == (folder / "hog" / name).read_bytes(), name
    parts.append({"kind": "dalal_triggs", "cell": 4, "orientations": 9, "block": 2})
    assert run(tmp_path, parts=parts, shift=1).returncode == 0
    found, permuting = load(tmp_path), load(folder)
    assert found.flip is None and found.values.shape == (10, 30, 208 + 36)
    view = found.views.index((0, 1, True))
    same = permuting.values[permuting.views.index((0, 1, False))][:, permuting.flip]
    # Sums in another order: a value next to a half may be rounded to the other side.
    assert abs(found.values[view, :, :208].astype(int) - same).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": [{"cell": 4, "cells": 2}]}, "parts.0.cells: unknown key"),
        ({"parts": [{"kind": "dalal_triggs", "cell": 3}]}, "expected cells and blocks that fit"),
        ({"shift": 8}, "shift: expected less than"),
        ({"parts": []}, "parts"),
    ],
)
def test_the_program_says_in_one_line_what_is_wrong(folder, tmp_path, settings, message):
    (tmp_path / "images.npz").write_bytes((folder / "images.npz").read_bytes())
    failed = run(tmp_path, **settings)
    assert failed.returncode == 1 and failed.stderr.startswith("error: ")
    assert message in failed.stderr and failed.stderr.count("\n") == 1
    assert not list(tmp_path.glob("hog/*"))


@pytest.mark.slow
def test_the_program_refuses_colour(tmp_path):
    colour = np.zeros((4, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "images.npz", train_x=colour, test_x=colour)
    failed = run(tmp_path)
    assert failed.returncode == 1 and "expected grey images" in failed.stderr


def damage(meta: dict, kind: str) -> None:
    if kind == "no views":
        meta["views"]["train"] = []
    elif kind == "first view":
        meta["views"]["train"][0] = [0, 0, True]
    elif kind == "no permutation":
        meta["flip"][0] = meta["flip"][1]
    elif kind == "no flip":
        meta["flip"] = None
    elif kind == "grid":
        del meta["parts"][0]["grid"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("no views", "meta.json: expected"),
        ("first view", "meta.json: expected"),
        ("no permutation", "flip is no permutation"),
        ("no flip", "neither flipped views"),
        ("grid", "meta.json: expected"),
        ("no JSON", "meta.json: expected"),
        ("truncated", "train.npy: expected uint8"),
        ("empty", "train.npy: expected uint8"),
        ("missing", "train.npy: expected uint8"),
        ("dtype", "train.npy: expected uint8"),
        ("fewer images", "train.npy: expected uint8"),
        ("objects", "train.npy: expected uint8"),
        ("column by column", "train.npy: expected uint8"),
        ("header", "train.npy: expected uint8"),
        ("other images", "those of other images"),
    ],
)
def test_damaged_features_are_refused_in_one_line(folder, tmp_path, kind, message):
    for name in ("images.npz", "hog/train.npy", "hog/meta.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    described, path = tmp_path / "hog/meta.json", tmp_path / "hog/train.npy"
    meta = json.loads(described.read_text())
    damage(meta, kind)
    described.write_text("{" if kind == "no JSON" else json.dumps(meta))
    values = np.load(path)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "missing":
        path.unlink()
    elif kind == "dtype":
        np.save(path, values.astype(np.float16))
    elif kind == "fewer images":
        np.save(path, values[:, :-1])
    elif kind == "objects":
        np.save(path, np.array([None]), allow_pickle=True)
    elif kind == "column by column":
        np.save(path, np.asfortranarray(values))
    elif kind == "header":  # NumPy raises a TokenError
        path.write_bytes(path.read_bytes().replace(b"}", b"(", 1))
    elif kind == "other images":
        (tmp_path / "images.npz").write_bytes(b"other")
    with pytest.raises(InputError, match=message) as raised:
        load(tmp_path)
    assert "\n" not in str(raised.value) and "delete" in str(raised.value)
