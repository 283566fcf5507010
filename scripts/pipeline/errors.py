"""The one exception for bad input, and what the operating system says of a full or closed disk."""

import errno
import os
from pathlib import Path

# Of a disk or folder that takes nothing more: no fault of the code.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
NOT_READABLE = {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.ELOOP}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}


class InputError(ValueError):
    """Input that cannot be used. The message names what was expected, what was found, where,
    and what to do about it; a program prints it as one line and ends with status 1."""


def cannot_write(path: str | Path, error: OSError) -> InputError:
    """The error that says which file could not be written, why, and what to do."""
    return InputError(
        f"{path}: cannot be written: {error.strerror}. Make room, or make its folder writable, then"
        " run again: a former file is untouched, nothing half-written stays."
    )


def require_writable(path: str | Path) -> None:
    """Raise InputError if a file could not be made at `path`; nothing is made.

    Said before hours of work, not after them. A full disk is no such case: it may have room later.
    """
    folder = next(place for place in Path(path).absolute().parents if place.exists())
    if not folder.is_dir():
        raise cannot_write(path, NotADirectoryError(errno.ENOTDIR, f"{folder} is no folder"))
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = f"{folder} is read-only, or not yours to write"
        raise cannot_write(path, PermissionError(errno.EACCES, reason))
