"""Features of an image data set on disk: a folder with train.npy, test.npy and meta.json.

An .npy is uint8 (V, N, D): V views of each of N images, D features. A view is the image shifted by
(down, right) pixels, black coming in, and then flipped or not; view 0 is the image itself. A value
q means q limit / 255; the limit of each part is in meta.json, and standardising needs none.
The files are memory-mapped: a batch reads its own rows, and processes share what they have read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from raw.prepared import again, load_json

View = tuple[int, int, bool]  # down, right, flipped


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """images (N, H, W) moved by `down` and `right` pixels (negative: up, left); same dtype."""
    height, width = images.shape[1:]
    frame = max(abs(down), abs(right))
    framed = np.pad(images, ((0, 0), (frame, frame), (frame, frame)))
    return framed[:, frame - down :, frame - right :][:, :height, :width]


@dataclass(frozen=True)
class Features:
    """The features of one split.

    values: uint8 (V, N, D); views: what each of the V is; grids: of each part the rows, columns and
    numbers at each place, in this order; flip: int64 (D,), p with features(flipped image) =
    features(image)[p], or None where the flipped views are stored instead.
    """

    values: np.ndarray
    views: tuple[View, ...]
    grids: tuple[tuple[int, int, int], ...]
    flip: np.ndarray | None

    def take(
        self, rows: np.ndarray, shifts: np.ndarray, flipped: np.ndarray, out: np.ndarray
    ) -> None:
        """Write the features of images `rows` (B,) to out (B, D).

        shifts: integers (B,), places in `shifts()`, 0 for no shift; flipped: bool (B,).
        """
        stored = flipped if self.flip is None else np.zeros_like(flipped)
        out[...] = self.values[self._table[shifts, stored.astype(np.int64)], rows]
        if self.flip is not None and flipped.any():
            out[flipped] = out[flipped].take(self.flip, axis=1)

    def shifts(self) -> np.ndarray:
        """The different shifts of the views, int64 (S, 2): down, right; the first is (0, 0)."""
        return np.array(list(dict.fromkeys(view[:2] for view in self.views)))

    @cached_property
    def _table(self) -> np.ndarray:
        """(S, 2): the view of each shift, as it is and flipped; -1 where it is not stored."""
        known = {view: number for number, view in enumerate(self.views)}
        shifts = self.shifts().tolist()
        return np.array([[known.get((*s, flip), -1) for flip in (False, True)] for s in shifts])


def load_features(folder: Path, split: str, images: Path, shape: Sequence[int]) -> Features:
    """The features of `split` ("train" or "test") in `folder`.

    images: the images.npz they must have been made from, shape: (N, H, W) of its split.
    Raises InputError if a file is missing, damaged, of another form, or of other images. What the
    values are is not verified: to read them all would take longer than a batch that needs a few.
    """
    path, described = folder / f"{split}.npy", folder / "meta.json"
    meta = load_json(described, ("parts", "views", "flip", "image_shape", "images_sha256"))
    try:
        grids = tuple((int(r), int(c), int(n)) for r, c, n in (p["grid"] for p in meta["parts"]))
        width = sum(prod(grid) for grid in grids)
        views = tuple((int(v[0]), int(v[1]), bool(v[2])) for v in meta["views"][split])
        if views[:1] != ((0, 0, False),) or len(set(views)) < len(views):
            raise ValueError(f"views {views}")
        flip = meta["flip"]
        if flip is not None:
            flip = np.array(flip, np.int64)
            if not np.array_equal(np.sort(flip), np.arange(width)):
                raise ValueError("flip is no permutation of the features")
        elif not {(down, right, True) for down, right, _ in views} <= set(views):
            raise ValueError("neither flipped views nor a permutation")
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        found = f"expected the parts and views of features, found: {' '.join(str(error).split())}"
        raise InputError(f"{described}: {found}. {again(path)}") from None
    if meta["images_sha256"] != file_sha256(images) or meta["image_shape"] != list(shape[1:]):
        raise InputError(f"{folder}: the features are those of other images. {again(path)}")
    wanted = (len(views), shape[0], width)
    try:
        # Without the subclass: an index into np.memmap costs more.
        values = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        fits = values.dtype == np.uint8 and values.shape == wanted and values.flags.c_contiguous
        found = f"{values.dtype} {values.shape}, {values.strides} bytes apart"
    except Exception as error:  # of a damaged header NumPy documents no closed list
        fits, found = False, " ".join(str(error).split()) or type(error).__name__
    if not fits:
        raise InputError(f"{path}: expected uint8 {wanted}, found: {found}. {again(path)}")
    return Features(values, views, grids, flip)
