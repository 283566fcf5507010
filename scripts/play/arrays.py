"""A model's arrays as text for a page: base64 of little-endian numbers, read by weights.js."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np

# What each precision costs and keeps, as the page says it.
PRECISIONS = {
    "int8": "8-bit integers, with a factor for each row",
    "float16": "half precision",
    "float32": "single precision",
}


def as_text(array: np.ndarray, kind: str) -> str:
    """The numbers as base64; kind: a dtype, written little-endian."""
    return b64encode(array.astype(np.dtype(kind).newbyteorder("<")).tobytes()).decode()


def packed(array: np.ndarray, precision: str) -> dict[str, Any]:
    """An array of floats, {shape, kind, data} and `scales` of int8.

    Of a row r the integers are round(127 r / max |r|). Vectors, and they alone, stay single
    precision, since they are short. An int8 array of more than two axes is half precision.
    """
    if array.ndim < 2:
        precision = "float32"
    elif array.ndim > 2 and precision == "int8":
        precision = "float16"
    found: dict[str, Any] = {"shape": list(array.shape), "kind": precision}
    if precision != "int8":
        return found | {"data": as_text(array, precision)}
    scales = np.abs(array).max(axis=1, keepdims=True).astype(np.float32) / np.float32(127)
    integers = np.rint(array / np.where(scales > 0, scales, 1))
    return found | {"data": as_text(integers, "int8"), "scales": as_text(scales, "float32")}


def packed_all(state: Mapping[str, np.ndarray], precision: str) -> dict[str, dict]:
    """The arrays of floats of a model by name."""
    return {name: packed(a, precision) for name, a in state.items() if a.dtype.kind == "f"}
