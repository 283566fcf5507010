"""One process at a time in a directory: a lock on a file in it, which ends with its holder.

The kernel drops the lock (flock, by way of filelock) when the holder ends, however it ends (kill -9
too), so a lock is never stale; the file that stays behind locks nothing. Where the file system has
no locks, a note says so and the work continues without one.
"""

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.disk import cannot_write
from pipeline.errors import InputError

NAME = "lock"
# A process that was told to end needs a moment to save its state; its follower waits that long.
WAIT_SECONDS = 10.0
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
# Directory -> its lock, and the file that is locked: a process shares its own locks.
_held: dict[Path, tuple[FileLock, os.stat_result]] = {}


def lock_directory(directory: str | Path) -> None:
    """Make `directory` if needed and hold it until `unlock_directory` or this process's end.

    A directory that this process holds already stays held. Raises InputError if another process
    holds it for more than WAIT_SECONDS from now, or if it cannot be written.
    """
    path = Path(os.path.abspath(directory))
    if _is_held(path):
        return
    # A file that exists is what filelock calls a soft lock: it would outlive a kill -9.
    lock = FileLock(path / NAME, fallback_to_soft=False, thread_local=False, on_acquired=_sign)
    while not lock.is_locked:
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=WAIT_SECONDS)
        except FileNotFoundError:  # its last holder removed the directory just now
            continue
        except Timeout:
            with suppress(FileNotFoundError):  # it has ended just now
                holder = (path / NAME).read_text(errors="replace")
                raise InputError(
                    f"{directory}: in use by another training ({holder}), perhaps one that outlived"
                    " a killed Snakemake. Wait until it has ended, or end it, then run again."
                ) from None
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise cannot_write(directory, error) from None
            print(
                f"note: {directory}: this file system has no locks ({error.strerror}): make sure"
                " that no other training uses this directory",
                flush=True,
            )
            break
    _held[path] = lock, os.stat(path / NAME)


def _sign(opened: int) -> None:
    """Write into the locked file who holds it."""
    os.ftruncate(opened, 0)
    with suppress(OSError):  # a full disk: only the name of the holder is lost
        os.pwrite(opened, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)


def _is_held(path: Path) -> bool:
    """Whether this process holds `path`: the file that it locked is still the one that is there."""
    if path not in _held:
        return False
    with suppress(FileNotFoundError):
        if os.path.samestat(_held[path][1], os.stat(path / NAME)):
            return True
    unlock_directory(path)
    return False


def unlock_directory(directory: str | Path) -> None:
    """Let go of `directory`, if this process holds it."""
    lock, _ = _held.pop(Path(os.path.abspath(directory)), (None, None))
    if lock:
        lock.release()
