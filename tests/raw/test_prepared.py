"""The hash of a data set changes with everything that is data, and with nothing else."""

import hashlib

import numpy as np
import pytest

from raw.prepared import arrays_sha256

BASE = {"x": np.arange(6, dtype=np.int32).reshape(2, 3), "y": np.array([1, 2])}


def test_worked_example():
    array = np.array([[1, 2]], np.uint8)
    expected = hashlib.sha256(b"('x', '|u1', (1, 2))" + b"\x01\x02").hexdigest()
    assert arrays_sha256({"x": array}) == expected


@pytest.mark.parametrize(
    "same",
    [
        {"y": BASE["y"], "x": BASE["x"]},
        {"x": np.asfortranarray(BASE["x"]), "y": BASE["y"]},
        {"x": np.repeat(BASE["x"], 2, axis=1)[:, ::2], "y": BASE["y"]},
    ],
)
def test_order_and_memory_layout_do_not_count(same):
    assert arrays_sha256(same) == arrays_sha256(BASE)


@pytest.mark.parametrize(
    "other",
    [
        {"x": BASE["x"]},
        {"z": BASE["x"], "y": BASE["y"]},
        {"x": BASE["x"].astype(np.int64), "y": BASE["y"]},
        {"x": BASE["x"].view(np.float32), "y": BASE["y"]},
        {"x": BASE["x"].reshape(3, 2), "y": BASE["y"]},
        {"x": BASE["x"] + (np.arange(6).reshape(2, 3) == 5), "y": BASE["y"]},
    ],
)
def test_name_dtype_shape_and_values_count(other):
    assert arrays_sha256(other) != arrays_sha256(BASE)


def test_text_empty_and_scalar_arrays_have_a_hash():
    odd = [np.array(["a", "bc"]), np.zeros((0, 3)), np.array(1.0), np.array([True])]
    assert len({arrays_sha256({"x": array}) for array in odd}) == len(odd)


def test_objects_are_refused():
    with pytest.raises(TypeError, match="'x' holds Python objects"):
        arrays_sha256({"x": np.array([object()])})
