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

from pipeline.errors import InputError, cannot_write

# A process that was told to end needs a moment to save its state; its follower waits that long.
WAIT_SECONDS = 10.0
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


def lock_directory(directory: Path) -> FileLock:
    """Make `directory` if needed and hold it until the lock is released, or dropped, or we end.

    Two locks of one process on a directory are one. Raises InputError if another process holds it
    for more than WAIT_SECONDS from now, or if it cannot be written.
    """
    # A file that exists is what filelock calls a soft lock: it would outlive a kill -9.
    path = directory.absolute() / "lock"
    lock = FileLock(
        path, timeout=WAIT_SECONDS, on_acquired=_sign, thread_local=False, is_singleton=True,
        fallback_to_soft=False,
    )  # fmt: skip
    while not lock.is_locked:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except FileNotFoundError:  # its last holder removed the directory just now
            continue
        except Timeout:
            with suppress(FileNotFoundError):  # it has ended just now
                holder = path.read_text(errors="replace")
                raise InputError(
                    f"{directory}: in use by another training ({holder}), perhaps one that outlived"
                    " a killed Snakemake. Wait until it has ended, or end it, then run again."
                ) from None
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise cannot_write(directory, error) from None
            note = f"note: {directory}: this file system has no locks ({error.strerror}): make sure"
            print(f"{note} that no other training uses this directory", flush=True)
            break
    return lock


def _sign(opened: int) -> None:
    """Write into the locked file who holds it."""
    os.ftruncate(opened, 0)
    with suppress(OSError):  # a full disk: only the name of the holder is lost
        os.pwrite(opened, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
