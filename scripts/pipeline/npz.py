"""Reading .npz files so that a damaged or forged one is refused before it claims any memory."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from pipeline.errors import InputError


def read_npz(path: str | Path, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays `names`, or all, of an .npz that `pipeline.atomic.write_npz` wrote.

    Raises InputError if the file is missing, truncated or corrupt (each array has a checksum),
    lacks an array, is compressed, holds Python objects, or if a header promises another number of
    bytes than the file has: that is seen before the array is allocated.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if names is None:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
            return {name: _array(archive, name, Path(path).stat().st_size) for name in names}
    except MemoryError:
        raise
    except Exception as error:  # zipfile and NumPy document no closed list of what they raise
        wanted = f"with the arrays {', '.join(names)}" if names else "of arrays"
        found = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: expected an .npz {wanted}, found: {found}") from None


def _array(archive: zipfile.ZipFile, name: str, most: int) -> np.ndarray:
    """One array; `most`: the bytes of the whole file."""
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > most:
        raise InputError(f"{name} is compressed, or larger than the file")
    with archive.open(member) as opened:
        if (version := npy.read_magic(opened)) != (1, 0):
            raise InputError(f"{name} in version {version} of the .npy format")
        shape, _, dtype = npy.read_array_header_1_0(opened)
        size, there = math.prod(shape) * dtype.itemsize, member.file_size - opened.tell()
        if dtype.hasobject or size != there or min(shape, default=0) < 0:
            raise InputError(f"{name}, {dtype} {shape}: {size} bytes promised, {there} there")
        opened.seek(0)
        return npy.read_array(opened, allow_pickle=False)
