"""Images that need no download: scikit-learn's digits and the generated shapes."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from pipeline.seeds import generator
from raw import shapes

Arrays = dict[str, np.ndarray]


def make_digits(test_share: float, seed: int) -> tuple[Arrays, list[str]]:
    """scikit-learn's 1,797 digits of 8x8 pixels, values 0..16 spread over 0..255.

    They have no official split: a stratified share of them becomes the test set.
    """
    bundled = load_digits()
    x = np.rint(bundled.images * (255 / 16)).astype(np.uint8)
    train, test = train_test_split(
        np.arange(len(x)), test_size=test_share, random_state=seed, stratify=bundled.target
    )
    train, test = np.sort(train), np.sort(test)
    y = bundled.target.astype(np.int64)
    arrays = {"train_x": x[train], "train_y": y[train], "test_x": x[test], "test_y": y[test]}
    return arrays, [str(digit) for digit in range(10)]


def make_shapes(train_images: int, test_images: int, seed: int) -> tuple[Arrays, list[str]]:
    """Generated pictures of ten shapes, as many of each class as of any other, in random order."""
    arrays = {}
    for split, count in (("train", train_images), ("test", test_images)):
        random = generator(seed, "shapes", split)
        labels = random.permutation(np.arange(count) % len(shapes.CLASSES)).astype(np.int64)
        arrays[f"{split}_x"] = shapes.draw_shapes(labels, random)
        arrays[f"{split}_y"] = labels
    return arrays, list(shapes.CLASSES)
