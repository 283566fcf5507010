"""Read a pickle from an untrusted source without running anything that it asks for.

A pickle is a program. This reader accepts the small part of the language that arrays of numbers and
builtin containers need, in two steps:

1. Every opcode is looked at before any is run: only those of pickle protocol 0 to 3 that build
   numbers, strings, lists, tuples and dicts, and the three names that NumPy's arrays refer to.
2. These three names lead to inert stand-ins that record what they were given, never to NumPy: the
   array is built from the record by `np.frombuffer`, after its dtype and size have been checked.
   (NumPy's own `__setstate__` trusts its argument, which a crafted file can make crash.)

Left out: Python objects of any class, sets, object and structured arrays, shared memory buffers.
"""

import io
import math
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError

_OPCODES = {
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1",
    "BINFLOAT", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "BINBYTES", "SHORT_BINBYTES",
    "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "SETITEM",
    "SETITEMS", "APPEND", "APPENDS", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL",
    "REDUCE", "BUILD",
}  # fmt: skip
_DTYPES = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
_MAX_DEPTH = 32
_WANTED = "expected arrays and builtin containers"


class _Record:
    """What a pickle said about an array or a dtype; nothing of it has been believed yet."""

    def __init__(self, *arguments: Any):
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Record):
    pass


class _Dtype(_Record):
    pass


_NAMES = {
    "numpy.core.multiarray _reconstruct": _Array,
    "numpy._core.multiarray _reconstruct": _Array,
    "numpy ndarray": _Array,
    "numpy dtype": _Dtype,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _NAMES[f"{module} {name}"]


def read_pickle(path: str | Path) -> Any:
    """Read a pickle of NumPy arrays, numbers, strings, lists, tuples and dicts.

    Strings of Python 2 come back as bytes. Raises InputError if the file cannot be read, asks for
    anything else (the message says for what), or is corrupt or truncated.
    """
    try:
        return parse_pickle(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def parse_pickle(data: bytes, where: str) -> Any:
    """The same for bytes; `where` names them in errors (InputError)."""
    try:
        _check_opcodes(data)
        return _converted(_Unpickler(io.BytesIO(data), encoding="bytes").load(), {}, 0)
    except InputError as error:
        raise InputError(f"{where}: refused: {error}") from None
    except Exception as error:  # the pickle module documents no closed list of what it raises
        kind = type(error).__name__
        raise InputError(f"{where}: not a pickle of arrays ({kind}: {error})") from None


def _check_opcodes(data: bytes) -> None:
    argument: Any
    for count, (opcode, argument, position) in enumerate(pickletools.genops(data), 1):
        if opcode.name not in _OPCODES:
            found = f"the pickle opcode {opcode.name} at byte {position}"
            raise InputError(f"{_WANTED}, found {found}")
        if opcode.name == "GLOBAL" and argument not in _NAMES:
            found = f"a call of {argument.replace(' ', '.')!r}"
            raise InputError(f"{_WANTED}, found {found}. Delete it: it is not what it claims to be")
        # The memo is a plain array inside the unpickler: a huge index would claim the memory.
        if opcode.name in ("BINPUT", "LONG_BINPUT") and argument > count:
            raise InputError(f"memo index {argument} at byte {position}")


def _converted(value: Any, done: dict[int, Any], depth: int) -> Any:
    """`value` with every record of an array replaced by the array; each object once."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if depth > _MAX_DEPTH:
        raise InputError(f"containers nested more than {_MAX_DEPTH} deep, or one contains itself")
    if id(value) not in done:
        if isinstance(value, (list, tuple)):
            found: Any = type(value)(_converted(item, done, depth + 1) for item in value)
        elif isinstance(value, dict):
            inner = depth + 1
            found = {
                _converted(k, done, inner): _converted(v, done, inner) for k, v in value.items()
            }
        elif isinstance(value, _Array):
            found = _array(value.state)
        else:
            raise InputError(f"{_WANTED}, found {type(value).__name__}")
        done[id(value)] = found
    return done[id(value)]


def _array(state: Any) -> np.ndarray:
    """The array of the state that NumPy pickles: version, shape, dtype, Fortran order, bytes."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise InputError("an array without its state")
    _, shape, dtype, fortran, values = state
    sizes = shape if isinstance(shape, tuple) and len(shape) <= 8 else (None,)
    if not all(isinstance(n, int) and n >= 0 for n in sizes) or type(fortran) is not bool:
        raise InputError(f"an array of shape {shape!r}, Fortran order {fortran!r}")
    if not isinstance(values, bytes):
        raise InputError("an array whose values are no plain bytes")
    kind = _dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if size != len(values):
        raise InputError(f"an array of shape {shape} needs {size} bytes, found {len(values)}")
    # Through the flat bytes: an array without elements has no buffer to speak of.
    flat = np.frombuffer(values, kind) if values else np.zeros(0, kind)
    return flat.reshape(shape, order="F" if fortran else "C").astype(kind.newbyteorder("="))


def _dtype(record: Any) -> np.dtype:
    """The dtype of a record of `dtype(name, ...)` whose state is (version, byte order, ...)."""
    if not isinstance(record, _Dtype) or not record.arguments:
        raise InputError("an array without a dtype")
    state = record.state if isinstance(record.state, tuple) else ()
    name, order = (
        part.decode("latin-1") if isinstance(part, bytes) else part
        for part in (record.arguments[0], (state + ("|", "|"))[1])
    )
    if not isinstance(name, str) or name not in _DTYPES or order not in ("<", ">", "|", "="):
        raise InputError(f"an array of dtype {name!r}, byte order {order!r}: only plain numbers")
    return np.dtype(order + name)
