"""Tables for a terminal of any width: columns that do not fit are left out, nothing is ever cut."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Group as Stack
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

GAP = 2


class Column(NamedTuple):
    """A column of numbers. `rank`: the lower, the later it is left out."""

    title: str
    rank: int
    side: str = "right"


class Group(NamedTuple):
    """A heading and the lines under it: (name, one text per column, style)."""

    heading: str
    lines: list[tuple[str, Sequence[str], str]]


def fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Places of the columns that leave the name half of the width, in their order.

    Empty columns (width 0) are never kept; of the others the one with the lowest rank always is.
    """
    left = width - max(18, min(width // 2, 60))
    kept: list[int] = []
    filled = [place for place, size in enumerate(widths) if size]
    for place in sorted(filled, key=lambda place: columns[place].rank):
        left -= widths[place] + GAP
        if left < 0 and kept:
            break
        kept.append(place)
    return sorted(kept)


def table(groups: Sequence[Group], columns: Sequence[Column], width: int) -> Stack:
    """The groups under common columns, at most `width` characters wide; names wrap."""
    lines = [line for group in groups for line in group.lines]
    longest = [max(len(texts[p]) for _, texts, _ in lines) for p in range(len(columns))]
    widths = [size and max(size, len(c.title)) for size, c in zip(longest, columns, strict=True)]
    kept = fitting(columns, widths, width)
    name_width = width - sum(widths[place] + GAP for place in kept)
    name_width = max(4, min(2 + max(len(name) for name, _, _ in lines), name_width))

    def rows_of(lines: Sequence, titles: bool = False) -> Table:
        found = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=titles)
        found.add_column(width=name_width, overflow="fold")
        for place in kept:
            title, _, side = columns[place]
            found.add_column(title, width=widths[place], justify=side, no_wrap=True)
        for name, texts, style in lines:
            # Texts, not strings: Rich would read [numpy] as markup.
            cells = (Text(texts[place]) for place in kept)
            found.add_row(Padding(Text(name), (0, 0, 0, 2)), *cells, style=style)
        return found

    parts: list[Text | Table] = [rows_of([], titles=True)]
    for group in groups:
        parts += [Text(group.heading, style="bold underline"), rows_of(group.lines)]
    if out := [columns[p].title for p in range(len(columns)) if widths[p] and p not in kept]:
        parts.append(Text(f"Not shown for lack of room: {', '.join(out)}.", style="dim"))
    return Stack(*parts)
