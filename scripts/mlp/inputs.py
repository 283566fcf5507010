"""What a net of Part 1 sees of an image: its pixels, its features, or both, plain or augmented.

    inputs, labels = load_inputs("pixels+hog", images, features, "train", classes=10)
    training = Training(..., x=Augmented(inputs, rng, flips=True, shift=1), generators=[rng])

`inputs[index]` gives uint8 rows (B, D), pixels first: a batch is put together when it is asked for,
from the images in memory and the features in a memory-mapped file.
"""

from argparse import Namespace
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mlp.feature_file import Features, load_features, shifted
from pipeline.errors import InputError
from raw.image_data import load_part

# Share of a part's median deviation that is added to every deviation of the part: a pixel that is
# nearly always black must not count a hundred times.
SOFTENING = 0.15
Mode = Literal["raise", "wrap", "clip"]
# What a program reads of a data set, for pipeline.settings.arguments.
DATA = {
    "data": "images.npz of a prepared data set",
    "meta": "its meta.json",
    "hog?": "folder of its features, for a recipe that reads them",
}


def data_files(args: Namespace) -> list[Path]:
    """The small files that name a program's data by checksum: meta.json of images, of features."""
    return [args.meta, args.hog / "meta.json"] if args.hog else [args.meta]


class Inputs:
    """The examples of one split as rows uint8 (N, D): what numpy_nn needs of an array of examples.

    images: uint8 (N, C, H, W), or None for features alone; features: of the same images, or None
    for pixels alone; rows: which of the N are meant, all by default; flipped: left is right.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        images: np.ndarray | None,
        features: Features | None = None,
        rows: np.ndarray | None = None,
        *,
        flipped: bool = False,
    ):
        self.images, self.features, self.flipped = images, features, flipped
        self.pixels, self.widths = 0, []
        if images is not None:
            count, self.pixels = len(images), images[0].size
            self.widths.append(self.pixels)
        if features is not None:
            count = features.values.shape[1]
            self.widths += [prod(grid) for grid in features.grids]
        self.rows = np.arange(count) if rows is None else rows
        self.shape = len(self.rows), sum(self.widths)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        """The rows (B, D) of the examples `index`: integers (B,), bool (N,) or a slice."""
        rows = self.rows[index]
        return self._rows(rows, np.empty((len(rows), self.shape[1]), np.uint8))

    def take(self, index: np.ndarray, axis: int, out: np.ndarray, mode: Mode) -> np.ndarray:
        """self[index], written to `out` (B, D): np.take(inputs, index, axis=0, out=out)."""
        return self._rows(self.rows.take(index, mode=mode), out)

    def _rows(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The rows uint8 (B, D) of images `rows` (B,), written to `out`."""
        if self.images is not None:
            images = self.images[rows]
            images = images[..., ::-1] if self.flipped else images
            out[:, : self.pixels] = images.reshape(len(rows), -1)
        if self.features is not None:
            unshifted, flipped = np.zeros(len(rows), np.int64), np.full(len(rows), self.flipped)
            self.features.take(rows, unshifted, flipped, out[:, self.pixels :])
        return out

    @property
    def grids(self) -> list[tuple[int, int, int]]:
        """How a row lies over the image: grids of rows x columns x numbers, one after the other."""
        found = [] if self.images is None else [(*self.images.shape[2:], 1)] * self.images.shape[1]
        return found + ([] if self.features is None else list(self.features.grids))

    def subset(self, index: np.ndarray) -> "Inputs":
        """The examples `index`, integers or bool; nothing is copied."""
        return Inputs(self.images, self.features, self.rows[index], flipped=self.flipped)

    def flip(self) -> "Inputs":
        """These examples, each image flipped from left to right."""
        return Inputs(self.images, self.features, self.rows, flipped=not self.flipped)

    def shift(self, down: int, right: int) -> "Inputs":
        """These examples, each image moved by `down` and `right` pixels.

        Raises ValueError if there are features: they would have to be computed again.
        """
        if self.images is None or self.features is not None:
            raise ValueError("shift: expected inputs of pixels alone, found features")
        images = self.images[self.rows]  # (N, C, H, W)
        moved = shifted(images.reshape(-1, *images.shape[2:]), down, right).reshape(images.shape)
        return Inputs(moved, flipped=self.flipped)

    def moments(self, rows: int = 4096) -> np.ndarray:
        """Mean and deviation of each feature, float32 (2, D), for Standardise(features=D).

        SOFTENING of the median deviation of its part (pixels, or a grid of cells) is added to each
        deviation. A part that never changes gets deviation 1.
        """
        total, squares = np.zeros((2, self.shape[1]), np.int64)
        for start in range(0, len(self), rows):
            part = self[start : start + rows]
            total += part.sum(axis=0, dtype=np.int64)
            squares += np.square(part, dtype=np.uint16).sum(axis=0, dtype=np.int64)
        mean = total / len(self)
        # Integers, hence exact: nothing is lost where the deviation is small beside the mean.
        deviation = np.sqrt((squares * len(self) - total**2).astype(np.float64)) / len(self)
        for end, width in zip(np.cumsum(self.widths), self.widths, strict=True):
            part = deviation[end - width : end]
            part += SOFTENING * np.median(part)
            part[part == 0] = 1
        return np.stack([mean, deviation]).astype(np.float32)


class Augmented(Inputs):
    """Inputs whose rows are random views, drawn again each time, pixels and features alike.

    flips: half of the views are flipped. shift: largest shift in pixels: down and right each
    uniform in -shift to shift; with features, uniform over those shifts that their file holds.
    All randomness comes from `rng`: with its state in a checkpoint a run goes on exactly.
    Raises InputError if no features of that shift are stored.
    """

    def __init__(self, inputs: Inputs, rng: np.random.Generator, flips: bool, shift: int):
        super().__init__(inputs.images, inputs.features, inputs.rows, flipped=inputs.flipped)
        self.rng, self.flips, self.reach = rng, flips, shift
        if self.images is not None:
            # In a black frame; a shifted image is a window of it: one gather, no loop over images.
            framed = np.pad(self.images, ((0, 0), (0, 0), (shift, shift), (shift, shift)))
            # (N, C, 2 shift + 1, 2 shift + 1, H, W), a view
            self._windows = sliding_window_view(framed, self.images.shape[2:], axis=(2, 3))
        if self.features is not None:
            known = self.features.shifts()
            reach = abs(known).max(axis=1)
            if reach.max() < shift:
                wanted = f"at most {reach.max()} pixels, for which features are stored"
                advice = "Lower it, or raise the shift of the features."
                raise InputError(f"shift: expected {wanted}, found {shift}. {advice}")
            self._shifts = known[reach <= shift]
            self._places = np.flatnonzero(reach <= shift)

    def _rows(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        count = len(rows)
        flipped = np.full(count, self.flipped)
        if self.flips:
            flipped ^= self.rng.random(count) < 0.5
        if self.features is None:
            down, right = self.rng.integers(-self.reach, self.reach + 1, (2, count))
        else:
            drawn = self.rng.integers(len(self._shifts), size=count)
            down, right = self._shifts[drawn].T
            self.features.take(rows, self._places[drawn], flipped, out[:, self.pixels :])
        if self.images is not None:
            images = self._windows[rows, :, self.reach - down, self.reach - right]  # (B, C, H, W)
            images[flipped] = images[flipped, ..., ::-1]
            out[:, : self.pixels] = images.reshape(count, -1)
        return out


def load_inputs(
    choice: str, images: Path, features: Path | None, part: str, classes: int
) -> tuple[Inputs, np.ndarray]:
    """The inputs of `part` ("train" or "test"), and the labels int64 (N,).

    choice: pixels, hog or pixels+hog; images: images.npz; features: the folder of the features, not
    read for pixels alone. Raises InputError if a file is missing or damaged, or does not fit.
    """
    pictures, labels = load_part(images, part, classes)  # (N, C, H, W)
    if choice == "pixels":
        return Inputs(pictures), labels
    if features is None:
        raise InputError(f"inputs {choice}: expected the folder of the features, found none")
    found = load_features(features, part, images, (len(pictures), *pictures.shape[2:]))
    return Inputs(pictures if choice == "pixels+hog" else None, found), labels
