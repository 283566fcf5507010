"""Lines that stay and, on a terminal, a few below them that change."""

import os
import threading
from collections.abc import Sequence
from typing import TextIO

BOLD, RED, PLAIN = "\033[1m", "\033[1;31m", "\033[0m"
UP, CLEAR_BELOW = "\033[{}A", "\033[J"


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
            before, after = (style, PLAIN) if style and self.colours else ("", "")
            self._write([f"{before}{line}{after}" for line in lines], self._changing)

    def change(self, lines: Sequence[str]) -> None:
        """Put `lines`, none wider than the screen, in the place of those that change."""
        with self._lock:
            self._write([], list(lines))

    def _write(self, staying: list[str], changing: list[str]) -> None:
        """Draw over the changing lines, in one go, so that nothing flickers.

        The cursor is below them, or behind the ^C that a terminal shows there. A terminal that was
        made narrower has wrapped them since.
        """
        columns = self.size()[0] if self._changing else 1
        rows = sum(max(1, -(-len(line) // columns)) for line in self._changing)
        parts = [f"\r{UP.format(rows) if rows else ''}{CLEAR_BELOW}"] if self.live else []
        parts += [f"{line}\n" for line in staying]
        for number, line in enumerate(changing):
            bold = number == 0 and self.colours
            parts.append(f"{BOLD}{line}{PLAIN}\n" if bold else f"{line}\n")
        self._changing = changing
        self.stream.write("".join(parts))
        self.stream.flush()
