"""Image data sets as arrays train_x, train_y, test_x, test_y: readers of raw files, one writer.

Pixels are uint8, (N, H, W) for grey and (N, H, W, 3) for colour; labels are int64 (N,).
"""

from pathlib import Path

import numpy as np

from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from raw.about import About
from raw.data_hash import arrays_sha256
from raw.idx import read_idx
from raw.restricted_unpickle import read_pickle

FASHION_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

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
    arrays: Arrays = {}
    for split, files in (
        ("train", [f"data_batch_{number}" for number in range(1, 6)]),
        ("test", ["test_batch"]),
    ):
        batches = [read_cifar10_batch(folder / name) for name in files]
        arrays[f"{split}_x"] = np.concatenate([x for x, _ in batches])
        arrays[f"{split}_y"] = np.concatenate([y for _, y in batches])
    return arrays, [name.decode("ascii") for name in names[b"label_names"]]


def read_cifar10_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    batch = read_pickle(path)
    data = batch.get(b"data") if isinstance(batch, dict) else None
    labels = batch.get(b"labels") if isinstance(batch, dict) else None
    if (
        not isinstance(data, np.ndarray)
        or data.dtype != np.uint8
        or data.ndim != 2
        or data.shape[1] != 3 * 32 * 32
        or not isinstance(labels, list)
        or not all(type(label) is int for label in labels)
    ):
        raise InputError(f"{path}: expected a dict with data, uint8 (N, 3072), and labels, a list")
    x = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (N, H, W, C)
    return np.ascontiguousarray(x), np.array(labels, np.int64)


def check_images(arrays: Arrays, classes: list[str], where: str) -> None:
    """Raise InputError unless `arrays` are images with as many labels, all of them in `classes`."""
    for split in ("train", "test"):
        x, y = arrays[f"{split}_x"], arrays[f"{split}_y"]
        grey_or_colour = x.ndim == 3 or (x.ndim == 4 and x.shape[3] == 3)
        if not (x.dtype == np.uint8 and grey_or_colour):
            raise InputError(f"{where}: {split}: expected uint8 images, found {x.dtype} {x.shape}")
        if y.shape != (len(x),) or not len(x):
            raise InputError(f"{where}: {split}: {len(x)} images, but labels of shape {y.shape}")
        if y.min() < 0 or y.max() >= len(classes):
            raise InputError(
                f"{where}: {split}: expected labels 0 to {len(classes) - 1}, found {y.min()} to"
                f" {y.max()}"
            )


def write_images(
    images: Path, meta: Path, dataset: str, about: About, arrays: Arrays, classes: list[str]
) -> None:
    """Check the arrays and write images.npz and meta.json, which holds `about`.

    Raises InputError as `check_images` does.
    """
    check_images(arrays, classes, dataset)
    write_npz(images, **arrays)
    write_json(
        meta,
        {
            "dataset": dataset,
            **about.model_dump(),
            "classes": classes,
            "sizes": {"train": len(arrays["train_x"]), "test": len(arrays["test_x"])},
            "image_shape": list(arrays["train_x"].shape[1:]),
            "data_sha256": arrays_sha256(arrays),
        },
    )
    print(f"{dataset}: " + ", ".join(f"{name} {array.shape}" for name, array in arrays.items()))
