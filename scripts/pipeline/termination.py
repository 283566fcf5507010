"""SIGTERM with a grace period, as a cluster sends it to a job that it takes back: save, then end.

    defer()                       # from here on SIGTERM only leaves a note
    while ...:
        ...
        if requested(): save; end("...")

Python runs a handler between two steps of the main thread, so the note is all it leaves: saving
from inside it would find a training in the middle of a step.
"""

import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

STATUS = 128 + signal.SIGTERM  # what a shell reports of a process that SIGTERM ended
_requested = threading.Event()


def _note(_signal: int, _frame: FrameType | None) -> None:
    _requested.set()


def defer() -> None:
    """Let SIGTERM wait for the next safe point."""
    signal.signal(signal.SIGTERM, _note)


def accept() -> None:
    """Let SIGTERM end the process at once again; one that came before is forgotten."""
    _requested.clear()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def requested() -> bool:
    """Whether SIGTERM came since `defer`."""
    return _requested.is_set()


def end(line: str) -> NoReturn:
    """Print `line` and end the program with status 143."""
    accept()
    print(line, file=sys.stderr, flush=True)
    raise SystemExit(STATUS)
