"""One process at a time in a directory: flock on a file in it, which ends with its holder.

The kernel drops the lock when the holder ends, however it ends (kill -9 too), so a lock is never
stale; the file that stays behind locks nothing. Where the file system has no locks, a note says
so and the work goes on without one.
"""

import errno
import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from pipeline.errors import InputError

NAME = "lock"
# A process that was told to end needs a moment to save its state; its follower waits that long.
WAIT_SECONDS = 10.0
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
_held: dict[Path, int] = {}  # directory -> open file: a process shares its own locks


def lock_directory(directory: str | Path) -> None:
    """Make `directory` if needed and hold it until `unlock_directory` or this process's end.

    A directory that this process holds already stays held. Raises InputError if another process
    holds it for more than WAIT_SECONDS from now, or if it cannot be written.
    """
    path = Path(os.path.abspath(directory))
    deadline = time.perf_counter() + WAIT_SECONDS
    while not _is_held(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
            opened = os.open(path / NAME, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # its last holder removed the directory just now
            continue
        except OSError as error:
            raise InputError(
                f"{directory}: cannot be written: {error.strerror}. Make it writable, or make room,"
                " then run again."
            ) from None
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(opened, 200, 0).decode(errors="replace")
            os.close(opened)
            if time.perf_counter() > deadline:
                raise InputError(
                    f"{directory}: in use by another training ({holder}), perhaps one that outlived"
                    " a killed Snakemake. Wait until it has ended, or end it, then run again."
                ) from None
            time.sleep(0.2)
            continue
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                os.close(opened)
                raise
            print(
                f"note: {directory}: this file system has no locks ({error.strerror}): make sure"
                " that no other training uses this directory",
                flush=True,
            )
        else:
            os.ftruncate(opened, 0)
            with suppress(OSError):  # a full disk: only the name of the holder is lost
                os.pwrite(opened, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        _held[path] = opened


def _is_held(path: Path) -> bool:
    """Whether this process holds `path`: the file that it locked is still the one that is there."""
    if path not in _held:
        return False
    try:
        if os.path.samestat(os.fstat(_held[path]), os.stat(path / NAME)):
            return True
    except FileNotFoundError:
        pass
    os.close(_held.pop(path))
    return False


def unlock_directory(directory: str | Path) -> None:
    """Let go of `directory`, if this process holds it."""
    opened = _held.pop(Path(os.path.abspath(directory)), None)
    if opened is not None:
        os.close(opened)
