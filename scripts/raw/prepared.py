"""What a prepare program writes into data/processed/<dataset>: its checksum, and how it is read."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.read_json import read_json


def arrays_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """What identifies a data set: the sha256 (hex) over name, dtype, shape and bytes of its arrays.

    It depends neither on the order of `arrays`, nor on memory layout (bytes are taken in C order),
    nor on the file format. Byte order is part of the dtype, hence of the hash.
    Raises TypeError if an array holds Python objects, whose bytes are addresses.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name]).reshape(np.shape(arrays[name]))
        if array.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects: they have no stable bytes")
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def again(path: str | Path) -> str:
    """What to do about a prepared file that cannot be used; somebody's own is not to be deleted."""
    return f"If a run prepared it, delete {Path(path).parent} and run again."


def load_arrays(path: str | Path, *names: str) -> list[np.ndarray]:
    """The arrays `names` of an .npz. Raises InputError that says what to delete."""
    try:
        found = read_npz(path, names)
    except InputError as error:
        raise InputError(f"{error}. {again(path)}") from None
    return [found[name] for name in names]


def load_json(path: str | Path, keys: Sequence[str]) -> dict:
    """The JSON object of a prepared meta.json, with all of `keys` in it.

    Raises InputError that says what to delete.
    """
    return read_json(path, keys, again(path))
