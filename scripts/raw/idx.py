"""Reader of IDX files, the format of MNIST and Fashion-MNIST.

A file is: two zero bytes, a type code, the number of axes; one big-endian uint32 per axis; then the
values, big-endian, the last axis fastest. (Description: LeCun, Cortes and Burges, The MNIST
database of handwritten digits, "The IDX file format".)
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from pipeline.errors import InputError

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 8
MAX_BYTES = 1 << 30
PIECE = 1 << 20


def read_idx(path: str | Path) -> np.ndarray:
    """Read an IDX file, gzip-compressed or not, as an array in this machine's byte order.

    Raises InputError if the file is missing, not an IDX file, truncated or corrupt, if bytes follow
    its last value, or if the header claims more than 1 GiB.
    """
    path = Path(path)
    try:
        with path.open("rb") as opened:
            zipped = opened.read(2) == b"\x1f\x8b"
            opened.seek(0)
            return parse_idx(gzip.GzipFile(fileobj=opened) if zipped else opened, str(path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: corrupt or truncated gzip file ({error})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def parse_idx(stream: IO[bytes] | gzip.GzipFile, where: str) -> np.ndarray:
    """Parse an uncompressed IDX file; `where` names it in errors (InputError)."""
    magic = stream.read(4)
    if len(magic) < 4:
        raise InputError(f"{where}: expected an IDX file, found only {len(magic)} bytes")
    dtype = DTYPES.get(magic[2])
    if magic[:2] != b"\0\0" or dtype is None or not 1 <= magic[3] <= MAX_AXES:
        wanted = f"the magic number of an IDX file (00 00, type 08..0e, axes 1 to {MAX_AXES})"
        raise InputError(f"{where}: expected {wanted}, found {magic.hex(' ')}")
    header = stream.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise InputError(f"{where}: truncated in the header of {magic[3]} axes")
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4"))
    size = math.prod(shape) * np.dtype(dtype).itemsize
    # An axis of 0 makes a shape of any size empty, but NumPy still cannot make all of these.
    claimed = max(size, math.prod(max(1, axis) for axis in shape))
    if claimed > MAX_BYTES:
        raise InputError(f"{where}: shape {shape} claims {claimed} bytes, more than {MAX_BYTES}")
    # In pieces: a header that promises more than there is must not claim the memory first.
    values = bytearray()
    while len(values) < size and (piece := stream.read(min(PIECE, size - len(values)))):
        values += piece
    found = f"more than {size}" if stream.read(1) else len(values)
    if found != size:
        raise InputError(f"{where}: shape {shape} needs {size} bytes of values, found {found}")
    return np.frombuffer(values, dtype).reshape(shape).astype(np.dtype(dtype).newbyteorder("="))
