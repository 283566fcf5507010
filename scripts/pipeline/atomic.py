"""Files that are either whole or not there: written beside their place, then renamed into it."""

import csv
import fcntl
import glob
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import NO_ROOM, NOT_WRITABLE, cannot_write


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    If the block raises, the temporary file is removed and a former `path` stays untouched. What a
    killed process left of `path` is removed by the next one that writes it. The temporary name
    keeps the suffix, since NumPy writes files by it.
    Raises InputError if the disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        handle, name = tempfile.mkstemp(path.suffix, f".{path.stem}.", path.parent)
        temporary = Path(name)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes the file readable by its owner alone: give it what open() would have given.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
        # A rename too has to reach the disk: after a power loss the file is there by its name.
        with suppress(OSError), _opened(path.parent, os.O_RDONLY) as folder:  # some cannot
            os.fsync(folder)
    except OSError as error:
        if error.errno in NO_ROOM or (temporary is None and error.errno in NOT_WRITABLE):
            raise cannot_write(path, error) from None
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
            os.close(handle)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags)
    try:
        yield handle
    finally:
        os.close(handle)


def _remove_abandoned(path: Path) -> None:
    """Remove temporary files of `path` whose process was killed: its lock on them went with it."""
    # Eight characters are what mkstemp puts in.
    for left in path.parent.glob(f".{glob.escape(path.stem)}.????????{glob.escape(path.suffix)}"):
        # An error: held by a living process, gone meanwhile, or no locks here.
        with suppress(OSError), _opened(left, os.O_RDWR) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """Write `value` as JSON, keys in the order given; NaN and infinity are refused (ValueError)."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def write_csv(path: str | Path, rows: Iterable[Mapping], columns: Sequence[str]) -> None:
    """Write `rows` with exactly `columns` as the header; None and NaN become empty fields.

    Raises ValueError if a row has a key that is not a column.
    """
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:  # what differs from itself is NaN
            writer.writerow({key: value if value == value else "" for key, value in row.items()})


def write_npz(path: str | Path, **arrays: Any) -> None:
    """Write `arrays` uncompressed, without pickles. The same arrays give the same bytes."""
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects: only plain dtypes are written")
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)
