"""Test examples with which an exhibit of the page begins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.npz import read_npz

EACH = 6  # of each class: the first ones, chosen by nobody
KEPT = "examples.npz"  # where the reference keeps them, beside the weights


def examples(
    folder: Path, about: Mapping[str, Any], processed: Path
) -> tuple[np.ndarray, np.ndarray] | None:
    """(examples, labels (n,)) of the test part: of a net images (n, H, W), of a classifier of DNA
    tokens (n, L); None for other models, or where they no longer exist.

    folder: that of the weights; about: what they say of themselves; processed: the folder of the
    prepared data sets.
    """
    if about["room"] == "mlp":
        names, path = ["images", "label"], folder.parent / "examples.npz"
    elif about["room"] == "dna":
        names, path = ["test_x", "test_y"], processed / about["dataset"] / "sequences.npz"
    else:
        return None
    if (folder / KEPT).exists():
        names, path = ["x", "y"], folder / KEPT
    if not path.exists():
        return None
    x, y = read_npz(path, names).values()
    first = [np.flatnonzero(y == label)[:EACH] for label in np.unique(y)]
    index = np.sort(np.concatenate(first))
    return x[index], y[index]
