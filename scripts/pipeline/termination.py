"""SIGTERM, as a cluster sends it to a job that it takes back, and Ctrl-C: save, then end.

    defer()                       # from here on either signal only leaves a note
    while ...:
        ...
        if requested(): save; end("...")

Python runs a handler between two steps of the main thread, so the note is all it leaves: saving
from inside it would find a training in the middle of a step.
"""

import signal
import sys
from types import FrameType
from typing import NoReturn

# Each with what it does where nobody defers it.
SIGNALS = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
_requested: signal.Signals | None = None


def _note(number: int, _frame: FrameType | None) -> None:
    global _requested
    _requested = _requested or signal.Signals(number)


def _handle(wanted: dict) -> None:
    """Set handlers; an ignored signal stays ignored."""
    for kind, handler in wanted.items():
        if signal.getsignal(kind) is not signal.SIG_IGN:
            signal.signal(kind, handler)


def defer() -> None:
    """Let the signals wait for the next safe point."""
    _handle(dict.fromkeys(SIGNALS, _note))


def accept() -> None:
    """Let the signals end the process at once again; one that came before is forgotten."""
    global _requested
    _requested = None
    _handle(SIGNALS)


def requested() -> bool:
    """Whether a signal came since `defer`."""
    return _requested is not None


def end(line: str) -> NoReturn:
    """Print which signal ended the program, and `line`; end with the status that a shell gives.

    That is 143 after SIGTERM, 130 after Ctrl-C.
    """
    kind = _requested or signal.SIGTERM
    accept()
    print(f"ended by {kind.name}; {line}", file=sys.stderr, flush=True)
    raise SystemExit(128 + kind)
