"""The checksum that identifies a data set: the sha256 over its arrays."""

import hashlib
from collections.abc import Mapping

import numpy as np


def arrays_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """The sha256 (hex) over name, dtype, shape and bytes of every array, sorted by name.

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
