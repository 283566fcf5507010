"""Image data sets as arrays train_x, train_y, test_x, test_y: readers of raw files, one writer.

Pixels are uint8, (N, H, W) for grey and (N, H, W, 3) for colour; labels are int64 (N,).
"""

from pathlib import Path

import numpy as np

from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from pipeline.npz import read_npz
from raw.idx import read_idx
from raw.image_data import check_images, split_by_seed
from raw.prepared import arrays_sha256
from raw.restricted_unpickle import read_pickle
from raw.settings import About

FASHION_CLASSES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt",
                   "sneaker", "bag", "ankle boot")  # fmt: skip
# What the programs that call `write_images` write, for pipeline.settings.arguments.
OUTPUTS = {"images": "images.npz: train_x, train_y, test_x, test_y", "meta": "meta.json"}

Arrays = dict[str, np.ndarray]


def read_fashion_mnist(raw: Path) -> tuple[Arrays, list[str]]:
    """The four IDX files of Fashion-MNIST (Xiao et al. 2017) in `raw`, and the classes' names."""
    arrays = {}
    for split, name in (("train", "train"), ("test", "t10k")):
        arrays[f"{split}_x"] = read_idx(raw / f"{name}-images-idx3-ubyte.gz")
        arrays[f"{split}_y"] = read_idx(raw / f"{name}-labels-idx1-ubyte.gz").astype(np.int64)
    return arrays, list(FASHION_CLASSES)


def read_cifar10(raw: Path) -> tuple[Arrays, list[str]]:
    """The pickled batches of CIFAR-10 (Krizhevsky 2009) under `raw`, and the classes' names.

    A batch's `data` is uint8 (N, 3072): the red plane of 32x32, then green, then blue.
    Raises InputError if a batch has another form.
    """
    folder = raw / "cifar-10-batches-py"
    names = read_pickle(folder / "batches.meta")
    if not isinstance(names, dict) or not isinstance(names.get(b"label_names"), list):
        raise InputError(f"{folder / 'batches.meta'}: expected a dict with label_names")
    files = {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]}
    arrays: Arrays = {}
    for split, batches in files.items():
        parts = [read_cifar10_batch(folder / name) for name in batches]
        arrays[f"{split}_x"], arrays[f"{split}_y"] = map(np.concatenate, zip(*parts, strict=True))
    return arrays, [name.decode("ascii") for name in names[b"label_names"]]


def read_cifar10_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(images (N, 32, 32, 3), labels (N,)) of one file. Raises InputError for another form."""
    batch = read_pickle(path)
    batch = batch if isinstance(batch, dict) else {}
    data, labels = np.asarray(batch.get(b"data", ())), batch.get(b"labels")
    pixels = data.dtype == np.uint8 and data.ndim == 2 and data.shape[1] == 3 * 32 * 32
    if not (pixels and isinstance(labels, list) and all(type(label) is int for label in labels)):
        raise InputError(f"{path}: expected a dict with data, uint8 (N, 3072), and labels, a list")
    x = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (N, H, W, C)
    return np.ascontiguousarray(x), np.array(labels, np.int64)


def read_own(raw: Path) -> tuple[Arrays, list[str]]:
    """Pictures of one's own (vision.own_images), and the classes' names: a fifth of each class is
    the test part."""
    found = read_npz(raw / "images.npz", ("images", "labels", "classes"))
    x, y = found["images"], found["labels"]
    train, test = split_by_seed(y, len(y) // 5, seed=1)
    arrays = {"train_x": x[train], "train_y": y[train], "test_x": x[test], "test_y": y[test]}
    return arrays, found["classes"].tolist()


def write_images(
    images: Path, meta: Path, dataset: str, about: About, arrays: Arrays, classes: list[str]
) -> None:
    """Check the arrays and write images.npz and meta.json, which holds `about`.

    Raises InputError as `check_images` does.
    """
    for split in ("train", "test"):
        x, y = arrays[f"{split}_x"], arrays[f"{split}_y"]
        check_images(x, y, len(classes), f"{dataset}: {split}")
    write_npz(images, **arrays)
    record = {"dataset": dataset, **about.model_dump(), "classes": classes}
    record["sizes"] = {"train": len(arrays["train_x"]), "test": len(arrays["test_x"])}
    record["image_shape"] = list(arrays["train_x"].shape[1:])
    write_json(meta, {**record, "data_sha256": arrays_sha256(arrays)})
    print(f"{dataset}: " + ", ".join(f"{name} {array.shape}" for name, array in arrays.items()))
