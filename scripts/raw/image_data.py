"""Read, check and split the images of data/processed/<dataset>/images.npz."""

from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.seeds import generator
from raw.prepared import again, load_arrays, load_json


def check_images(images: np.ndarray, labels: np.ndarray, classes: int, where: str) -> None:
    """Raise InputError unless these are images with as many labels, all of `classes` classes.

    images: uint8 (N, H, W) for grey, (N, H, W, 3) for colour; labels: int64 (N,), N > 0;
    where: the start of their names in the message, such as `images.npz: train`.
    """
    grey_or_colour = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
    if images.dtype != np.uint8 or not grey_or_colour:
        wanted = "uint8 images (N, H, W) or (N, H, W, 3)"
        raise InputError(f"{where}_x: expected {wanted}, found {images.dtype} {images.shape}")
    if labels.shape != images.shape[:1] or labels.dtype != np.int64 or not len(labels):
        wanted = f"{len(images)} labels, int64"
        raise InputError(f"{where}_y: expected {wanted}, found {labels.dtype} {labels.shape}")
    if labels.min() < 0 or labels.max() >= classes:
        wanted = f"labels of {classes} classes, 0 to {classes - 1}"
        raise InputError(f"{where}_y: expected {wanted}, found {labels.min()} to {labels.max()}")


def load_part(path: str | Path, part: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (images, labels) of `part`, "train" or "test"; the other part is not read.

    images: uint8 (N, C, H, W), C = 1 for grey; labels: int64 (N,), 0 <= label < classes.
    Raises InputError if the file is no .npz, lacks an array or holds other shapes or dtypes.
    """
    images, labels = load_arrays(path, f"{part}_x", f"{part}_y")
    try:
        check_images(images, labels, classes, f"{path}: {part}")
    except InputError as error:
        raise InputError(f"{error}. {again(path)}") from None
    channels_last = images[..., None] if images.ndim == 3 else images
    return np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2)), labels


def load_meta(path: str | Path) -> dict:
    """Return a data set's meta.json; `classes` and `data_sha256` are there.

    Raises InputError if it is not JSON or lacks either.
    """
    meta = load_json(path, ("dataset", "classes", "data_sha256"))
    if not isinstance(meta["classes"], list) or not meta["classes"]:
        found = f"found {meta['classes']!r}. {again(path)}"
        raise InputError(f"{path}: classes: expected a list of names, {found}")
    return meta


def split_by_seed(labels: np.ndarray, held_out: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (kept, held out): disjoint sorted indices of the examples, `held_out` of them for
    validation, drawn under `seed` from every class in proportion; 0: none.

    labels: int64 (N,). Raises InputError if none would be kept.
    """
    n = len(labels)
    if not 0 <= held_out < n:
        raise InputError(f"validation_size: expected 0 to {n - 1} of {n} images, found {held_out}")
    # Shuffled, then sorted by class: of every class the same share is at equal distances.
    order = generator(seed, "validation split").permutation(n)
    order = order[np.argsort(labels[order], kind="stable")]
    chosen = (np.arange(held_out) * n + n // 2) // max(held_out, 1)
    taken = np.isin(np.arange(n), chosen)
    return np.sort(order[~taken]), np.sort(order[taken])
