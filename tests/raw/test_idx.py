"""IDX files: what is written comes back; anything else is the documented error."""

import gzip
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.errors import InputError
from raw.idx import DTYPES, parse_idx, read_idx


def idx(array: np.ndarray, code: int) -> bytes:
    """`array` as the format's description says."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(np.dtype(DTYPES[code]).newbyteorder(">")).tobytes()


def test_worked_example(tmp_path):
    """A 2x3 image of bytes, written out by hand."""
    data = bytes.fromhex("0000 08 02 00000002 00000003 0102030405ff")
    expected = np.array([[1, 2, 3], [4, 5, 255]], np.uint8)
    np.testing.assert_array_equal(parse_idx(io.BytesIO(data), "test"), expected)
    for name, content in (("a", data), ("a.gz", gzip.compress(data))):
        (tmp_path / name).write_bytes(content)
        np.testing.assert_array_equal(read_idx(tmp_path / name), expected)


@given(
    st.sampled_from(sorted(DTYPES)).flatmap(
        lambda code: st.tuples(
            st.just(code),
            hnp.arrays(
                np.dtype(DTYPES[code]).newbyteorder("="),
                hnp.array_shapes(max_dims=4, min_side=0, max_side=5),
            ),
        )
    )
)
def test_round_trip(pair):
    code, array = pair
    found = parse_idx(io.BytesIO(idx(array, code)), "test")
    assert found.dtype == array.dtype and found.shape == array.shape
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "found only 0 bytes"),
        (b"\0\0\x08", "found only 3 bytes"),
        (b"\x89PNG", "magic number.*found 89 50 4e 47"),
        (b"\0\0\x07\x01", "magic number"),
        (b"\0\0\x08\x00", "magic number"),
        (b"\0\0\x08\x09", "magic number"),
        (b"\0\0\x08\x02\0\0\0\x01", "truncated in the header"),
        (b"\0\0\x08\x01\0\0\0\x05abcd", "needs 5 bytes of values, found 4"),
        (b"\0\0\x08\x01\0\0\0\x03abcd", "needs 3 bytes of values, found more"),
        (b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", "claims"),
        (b"\0\0\x08\x03\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", "claims"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, data, says):
    with pytest.raises(InputError, match=says):
        parse_idx(io.BytesIO(data), "test")
    (tmp_path / "x.gz").write_bytes(gzip.compress(data))
    with pytest.raises(InputError, match=says):
        read_idx(tmp_path / "x.gz")


@pytest.mark.parametrize(
    ("code", "values", "expected"),
    [
        (0x08, "80 01", [128, 1]),
        (0x09, "80 01", [-128, 1]),
        (0x0B, "8000 0102", [-32768, 258]),
        (0x0C, "80000000 00000102", [-(2**31), 258]),
        (0x0D, "c0200000 3f800000", [-2.5, 1]),
        (0x0E, "c004000000000000 3ff0000000000000", [-2.5, 1]),
    ],
)
def test_each_type_code_of_the_format(code, values, expected):
    data = bytes([0, 0, code, 1, 0, 0, 0, 2]) + bytes.fromhex(values)
    assert parse_idx(io.BytesIO(data), "test").tolist() == expected


def test_more_than_a_piece_and_as_many_axes_as_there_may_be():
    large = np.arange(2**18 + 3, dtype=np.int32)  # a little over 1 MiB: PIECE
    np.testing.assert_array_equal(parse_idx(io.BytesIO(idx(large, 0x0C)), "test"), large)
    eight = np.zeros((1, 2, 1, 1, 1, 1, 1, 3), np.uint8)
    assert parse_idx(io.BytesIO(idx(eight, 8)), "test").shape == eight.shape


@pytest.mark.parametrize(
    ("code", "shape", "says"),
    [
        (0x08, (2**15, 2**15), "needs 1073741824 bytes of values, found 0"),
        (0x08, (2**15, 2**15 + 1), "claims 1073774592 bytes, more than 1073741824"),
        (0x0E, (2**27,), "needs 1073741824 bytes of values, found 0"),
        (0x0E, (2**27 + 1,), "claims 1073741832 bytes"),
        (0x08, (0, 2**30 + 1), "claims 1073741825 bytes"),
    ],
)
def test_a_header_may_claim_a_gibibyte(code, shape, says):
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)
    with pytest.raises(InputError, match=says):
        parse_idx(io.BytesIO(header), "test")


def test_every_truncation_of_a_gzip_file_is_an_error(tmp_path):
    data = gzip.compress(idx(np.arange(50, dtype=np.uint8).reshape(5, 10), 8))
    for end in range(len(data) - 1):
        (tmp_path / "x.gz").write_bytes(data[:end])
        with pytest.raises(InputError):
            read_idx(tmp_path / "x.gz")


def test_a_missing_file_or_a_folder_is_an_input_error(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_idx(path)
