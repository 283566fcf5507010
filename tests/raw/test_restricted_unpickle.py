"""Pickles: arrays and containers come through, anything else is refused before it runs."""

import os
import pickle
import pickletools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.errors import InputError
from raw.restricted_unpickle import parse_pickle, read_pickle

DTYPES = [np.bool_, np.uint8, np.int64, np.dtype(">i4"), np.float32, np.dtype(">f8"), np.uint16]


@given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
    ),
    fortran=st.booleans(),
)
def test_any_array_comes_back(array, fortran):
    array = np.asfortranarray(array) if fortran else array
    found = parse_pickle(pickle.dumps(array, protocol=3), "test")
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([2, 3]))
def test_builtin_containers_come_back(value, protocol):
    data = pickle.dumps(value, protocol=protocol)
    names = [op.name for op, _, _ in pickletools.genops(data)]
    if "GLOBAL" in names:  # protocol 2 writes bytes as a call of _codecs.encode or of bytes
        with pytest.raises(InputError, match="a call of"):
            parse_pickle(data, "test")
    else:
        assert parse_pickle(data, "test") == value


def test_a_batch_as_python_2_wrote_it():
    """The very form of CIFAR-10's files: protocol 2, byte strings, NumPy's old module name."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    pixels = np.arange(24, dtype=np.uint8).reshape(2, 12)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02K\x0c\x86"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + struct.pack("<i", 24) + pixels.tobytes() + b"tb"
    )
    data = b"\x80\x02}(" + text(b"data") + array + text(b"labels") + b"](K\x03K\x07eu."
    found = parse_pickle(data, "test")
    assert found.keys() == {b"data", b"labels"}
    assert found[b"labels"] == [3, 7]
    np.testing.assert_array_equal(found[b"data"], pixels)


class Evil:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "evil",
    [
        Evil(os.system, "echo owned > owned"),
        Evil(eval, "open('owned', 'w').write('x')"),
        Evil(np.load, "x"),
        Evil(np.ndarray, (1 << 40,)),
        Evil(getattr, "", "join"),
    ],
)
def test_calls_are_refused_and_never_made(tmp_path, monkeypatch, evil):
    monkeypatch.chdir(tmp_path)
    for protocol in range(6):
        (tmp_path / "evil").write_bytes(pickle.dumps({"data": [evil]}, protocol=protocol))
        with pytest.raises(InputError, match="evil"):
            read_pickle(tmp_path / "evil")
    assert [p.name for p in tmp_path.iterdir()] == ["evil"]


def cyclic():
    value = []
    value.append(value)
    return value


def deep(depth=100):
    value = [1]
    for _ in range(depth - 1):
        value = [value]
    return value


def test_a_container_may_be_inside_32_others():
    for value in (deep(33), {"a": deep(32)}, (deep(32),)):
        assert parse_pickle(pickle.dumps(value, 3), "test") == value
    for value in (deep(34), {"a": deep(33)}, (deep(33),)):
        with pytest.raises(InputError, match="nested more than 32 deep"):
            parse_pickle(pickle.dumps(value, 3), "test")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pickle.dumps(np.array([object()], object), 3), "refused|not a pickle"),
        (pickle.dumps(np.array([(1, 2)], "i4,f4"), 3), "dtype"),
        (pickle.dumps(np.array(["2020"], "M8[Y]"), 3), "dtype"),
        (pickle.dumps({1, 2}, 3), "refused"),
        (pickle.dumps(cyclic(), 3), "contains itself"),
        (pickle.dumps(deep(), 3), "nested"),
        (b"\x80\x02]r\xff\xff\xff\xff.", "memo index"),
        (b"cnumpy\nndarray\n.", "expected arrays"),
        (b"\x80\x02cnumpy\ndtype\nU\x02u1\x85R.", "expected arrays"),
        (b"\x80\x02cnumpy\nndarray\nN}U\x09is_arrayN\x73\x86b.", "expected arrays|not a pickle"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "an array without its state"),
        (b"\x80\x02cnumpy\nndarray\n)R](K\x01K\x01\x85NN\x89eb.", "an array without its state"),
        (b"\x80\x02cnumpy\nndarray\n)R(K\x01K\x01\x85NNtb.", "an array without its state"),
        (b"\x80\x02cnumpy\nndarray\n)R(K\x01K\x01\x85N\x89U\x01xtb.", "an array without a dtype"),
        (b"\x80\x02cnumpy\nndarray\n)R(K\x01K\x01\x85N\x89Ntb.", "values are no plain bytes"),
        (pickle.dumps([1], 4), "found the pickle opcode FRAME at byte 2"),
        (b"\x80\x02P1\n.", "found the pickle opcode PERSID at byte 2"),
        (b"\x80\x02]q\x04.", "memo index 4 at byte 3"),
        (b"\x8f.", "found the pickle opcode EMPTY_SET at byte 0"),
        (b"", "not a pickle"),
        (b"<!DOCTYPE html>", "not a pickle"),
    ],
)
def test_what_is_no_array_or_container_is_refused(data, says):
    with pytest.raises(InputError, match=says):
        parse_pickle(data, "test")


def array_pickle(shape: bytes, order: bytes = b"|", fortran: bytes = b"\x89") -> bytes:
    """A uint8 array of 4 bytes whose shape, byte order and Fortran order are given as opcodes."""
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
        + shape
        + b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01"
        + order
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + fortran
        + b"U\x04\x01\x02\x03\x04tb."
    )


def test_a_memo_index_may_be_as_large_as_the_number_of_opcodes():
    assert parse_pickle(b"\x80\x02]q\x03.", "test") == []


def test_an_array_by_hand_in_both_orders():
    two_by_two = b"K\x02K\x02\x86"
    assert parse_pickle(array_pickle(two_by_two), "test").tolist() == [[1, 2], [3, 4]]
    assert parse_pickle(array_pickle(two_by_two, fortran=b"\x88"), "test").tolist() == [
        [1, 3],
        [2, 4],
    ]
    eight = b"(K\x04" + b"K\x01" * 7 + b"t"
    assert parse_pickle(array_pickle(eight), "test").shape == (4, *[1] * 7)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"shape": b"](K\x02K\x02e"}, r"an array of shape \[2, 2\]"),
        ({"shape": b"G\x40\x10\x00\x00\x00\x00\x00\x00\x85"}, r"an array of shape \(4.0,\)"),
        ({"shape": b"J\xfe\xff\xff\xffJ\xfe\xff\xff\xff\x86"}, r"an array of shape \(-2, -2\)"),
        ({"shape": b"(K\x04" + b"K\x01" * 8 + b"t"}, "an array of shape"),
        ({"shape": b"K\x04\x85", "fortran": b"K\x00"}, "Fortran order 0"),
        ({"shape": b"K\x04\x85", "order": b"!"}, "byte order '!': only plain numbers"),
    ],
)
def test_a_state_of_another_form_is_refused(state, says):
    with pytest.raises(InputError, match=says):
        parse_pickle(array_pickle(**state), "test")


def test_an_array_of_the_wrong_length_is_refused():
    data = pickle.dumps(np.arange(10, dtype=np.uint8), 3)
    shorter = data.replace(b"C\x0a" + bytes(range(10)), b"C\x09" + bytes(range(9)))
    assert shorter != data
    with pytest.raises(InputError, match="needs 10 bytes, found 9"):
        parse_pickle(shorter, "test")


pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")
SEED = pickle.dumps({b"data": np.zeros((2, 3), np.uint8), b"labels": [1, 2], b"x": (1.5, None)}, 3)


def test_every_truncation_is_an_error():
    for end in range(len(SEED)):
        with pytest.raises(InputError):
            parse_pickle(SEED[:end], "test")


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_pickle(tmp_path / "none")
