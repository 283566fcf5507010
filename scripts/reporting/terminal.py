"""Tables for a terminal of any width: columns that do not fit are left out, nothing is ever cut."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

GAP = 2


@dataclass(frozen=True)
class Column:
    """A column of numbers. `rank`: the lower, the later it is left out."""

    title: str
    rank: int
    left: bool = False


@dataclass(frozen=True)
class Group:
    """A heading and the lines under it: (name, one text a column, style)."""

    heading: str
    lines: list[tuple[str, Sequence[str], str]]


def fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Places of the columns that leave the name three tenths of the width, in their order.

    Empty columns (width 0) never stand; of the others the one with the lowest rank always does.
    """
    left, kept = width - max(18, min(3 * width // 10, 48)), []
    for place in sorted(range(len(columns)), key=lambda place: columns[place].rank):
        if not widths[place]:
            continue
        left -= widths[place] + GAP
        if left < 0 and kept:
            break
        kept.append(place)
    return sorted(kept)


def table(groups: Sequence[Group], columns: Sequence[Column], width: int) -> Text:
    """The groups under common columns, at most `width` characters wide; names wrap."""
    cells = [line for group in groups for line in group.lines]
    longest = [
        max((len(texts[p]) for _, texts, _ in cells), default=0) for p in range(len(columns))
    ]
    widths = [
        size and max(size, len(column.title)) for size, column in zip(longest, columns, strict=True)
    ]
    kept = fitting(columns, widths, width)
    numbers = sum(widths[place] + GAP for place in kept)
    name_width = min(max((len(name) for name, _, _ in cells), default=0) + 2, width - numbers)
    name_width = max(name_width, 4)

    def line(name: str, texts: Sequence[str]) -> str:
        parts = [f"{name:<{name_width}}"]
        for place in kept:
            side = "<" if columns[place].left else ">"
            parts.append(" " * GAP + f"{texts[place]:{side}{widths[place]}}")
        return "".join(parts).rstrip() + "\n"

    found = Text(line("", [column.title for column in columns]), style="")
    for group in groups:
        found.append("\n".join(textwrap.wrap(group.heading, width)) + "\n", style="bold underline")
        for name, texts, style in group.lines:
            first, *more = textwrap.wrap(
                name, name_width, initial_indent="  ", subsequent_indent="    "
            ) or [""]
            found.append(line(first, texts), style=style)
            for rest in more:
                found.append(rest + "\n", style=style)
    out = [columns[p].title for p in range(len(columns)) if widths[p] and p not in kept]
    if out:
        told = f"Not shown for lack of room: {', '.join(out)}."
        found.append("\n".join(textwrap.wrap(told, width)) + "\n", style="dim")
    return found
