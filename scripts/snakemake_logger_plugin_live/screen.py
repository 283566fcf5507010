"""Lines that stay and, on a terminal, a few below them that change."""

import os
import threading
from collections.abc import Sequence
from typing import TextIO

BOLD, RED, PLAIN = "\033[1m", "\033[1;31m", "\033[0m"
UP, CLEAR_LINE, CLEAR_BELOW = "\033[{}A", "\033[2K", "\033[J"


class Screen:
    """`live`: whether the stream is a terminal that can move its cursor; others get lines alone."""

    def __init__(self, stream: TextIO, colours: bool):
        self.stream = stream
        self.live = stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
        self.colours = self.live and colours and not os.environ.get("NO_COLOR")
        self._changing: list[str] = []  # the lines that are there now and change
        self._lock = threading.Lock()

    def size(self) -> tuple[int, int]:
        """(columns, rows)"""
        try:
            columns, rows = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            columns, rows = 0, 0
        return columns or 80, rows or 24  # a terminal that does not know its size says 0

    def print(self, *lines: str, style: str = "") -> None:
        """Add lines that stay, above those that change."""
        with self._lock:
            self._write([self._styled(line, style) for line in lines], self._changing)

    def change(self, lines: Sequence[str]) -> None:
        """Put `lines`, none wider than the screen, in the place of those that change."""
        with self._lock:
            self._write([], list(lines))

    def _styled(self, line: str, style: str) -> str:
        return f"{style}{line}{PLAIN}" if style and self.colours else line

    def _write(self, staying: list[str], changing: list[str]) -> None:
        """Draw over the changing lines, in one go, so that nothing flickers; the first one is bold.

        The cursor is below them, or behind the ^C that a terminal shows there. A terminal that was
        made narrower has wrapped them since.
        """
        lines = [*staying, *(self._styled(x, "" if n else BOLD) for n, x in enumerate(changing))]
        if self.live:
            columns = self.size()[0]
            rows = sum(max(1, -(-len(line) // columns)) for line in self._changing)
            # Line by line: what clears a whole screen at once puts it into the history.
            text = "".join(f"{CLEAR_LINE}{line}\n" for line in lines)
            self.stream.write(f"\r{UP.format(rows) if rows else ''}{text}{CLEAR_BELOW}")
        else:
            self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()
        self._changing = changing
