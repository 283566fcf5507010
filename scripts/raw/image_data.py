"""Read, check and split the images of data/processed/<dataset>/images.npz."""

from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.seeds import generator
from raw.prepared import again, load_arrays, load_json


def load_part(path: str | Path, part: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (images, labels) of `part`, "train" or "test"; the other part is not read.

    images: uint8 (N, C, H, W), C = 1 for grey; labels: int64 (N,), 0 <= label < classes.
    Raises InputError if the file is no .npz, lacks an array or holds other shapes or dtypes.
    """
    images, labels = load_arrays(path, f"{part}_x", f"{part}_y")
    if images.ndim == 3:
        images = images[..., None]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise InputError(
            f"{path}: {part}_x: expected uint8 images (N, H, W) or (N, H, W, 3), "
            f"found {images.dtype} {images.shape}. {again(path)}"
        )
    if labels.shape != images.shape[:1] or labels.dtype != np.int64:
        raise InputError(
            f"{path}: {part}_y: expected {len(images)} labels, int64, "
            f"found {labels.dtype} {labels.shape}. {again(path)}"
        )
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"{path}: {part}_y: expected labels of {classes} classes, 0 to {classes - 1}, found "
            f"{np.unique(labels)[[0, -1]].tolist() if len(labels) else 'none'}. "
            f"{again(path)}"
        )
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels


def load_meta(path: str | Path) -> dict:
    """Return a data set's meta.json; `classes` and `data_sha256` are there.

    Raises InputError if it is not JSON or lacks either.
    """
    meta = load_json(path, ("dataset", "classes", "data_sha256"))
    if not isinstance(meta["classes"], list) or not meta["classes"]:
        raise InputError(
            f"{path}: classes: expected a list of names, found {meta['classes']!r}. {again(path)}"
        )
    return meta


def split_by_seed(n: int, held_out: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (kept, held out): disjoint sorted indices of n examples, `held_out` of them for
    validation, chosen at random under `seed`. Raises InputError if none would be kept."""
    if not 0 < held_out < n:
        raise InputError(f"validation_size: expected 1 to {n - 1} of {n} images, found {held_out}")
    order = generator(seed, "validation split").permutation(n)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
