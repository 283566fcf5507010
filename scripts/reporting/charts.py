"""Charts as SVG, made of numbers: lines, bars, points with intervals, matrices, heat maps, photos.

Every function returns one panel: an <svg> at most WIDTH pixels wide, which a page shows at its own
size, so that its letters (11 pixels and more) are as large on a phone as on a desk. Texts are
texts, <title> elements are tooltips, colours are classes of STYLE, which follows light and dark.
Colour alone never carries a meaning. The same data give the same bytes.

    panel = lines([Series("CNN", [(1, 0.7), (2, 0.8)])], "accuracy of a CNN", "epoch", "accuracy")
    path.write_text(sheet([panel]))     # a file by itself; a page inlines the panel and STYLE
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

import numpy as np

from reporting import png

WIDTH = 340  # Pixels: what a phone of 390 has inside its margins, beside a scroll bar.
LETTER, LINE = 6.6, 15  # Pixels: the width of an average letter of 11 pixels, and its line.
TALL = 115  # The height of a plot of lines, between its texts.
DASHES = ("", "6 3", "2 3", "8 3 2 3")

# What charts look like, on light and on dark; a page has these variables of its own.
STYLE = """
.panel { font: 11px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.panel text { fill: var(--soft); } .panel .strong { fill: var(--ink); font-weight: 600; }
.panel .head { fill: var(--ink); font-size: 12px; font-weight: 600; }
.panel .ink { fill: var(--ink); } .panel .mono { font-family: ui-monospace, Menlo, monospace; }
.panel .bad { fill: var(--other); } .panel text.bad { fill: var(--other-text); font-weight: 600; }
.panel .grid { stroke: var(--line); } .panel .axis { stroke: var(--soft); opacity: .6; }
.panel .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.panel .faint { opacity: .45; stroke-width: 1.1; } .panel .box { fill: none; stroke: var(--line); }
.panel .mark { fill: none; stroke: var(--ink); stroke-width: 2; }
.panel .ours { fill: var(--ours); stroke: var(--ours); } .panel .range { stroke-width: 3; opacity: .4; }
.panel .theirs { fill: var(--page); stroke: var(--other); stroke-width: 1.6; }
.panel .aside { fill: var(--page); stroke: var(--ours); stroke-width: 1.6; }
.panel image { image-rendering: pixelated; }
.s0 { stroke: var(--ours); } .s1 { stroke: var(--other); } .s2 { stroke: #009e73; }
.s3 { stroke: #b5659d; } .s4 { stroke: #b58900; } .s5 { stroke: #3f9fd8; }
.panel .A { fill: #009e73; } .panel .C { fill: var(--ours); } .panel .G { fill: #b58900; }
.panel .T { fill: var(--other); } .panel .N { fill: var(--soft); } .glyph { fill-rule: evenodd; }
"""  # noqa: E501
# The variables, for a file by itself: {ours} and {other} are those of the configuration.
COLOURS = """
svg { --ours: %(ours)s; --other: %(other)s; --page: #fff; --ink: #1f2933; --soft: #55606b;
  --line: #dfe3e7; --other-text: color-mix(in srgb, var(--other) 85%%, #000); }
@media (prefers-color-scheme: dark) { svg { --ours: color-mix(in srgb, %(ours)s 60%%, #fff);
  --other: color-mix(in srgb, %(other)s 80%%, #fff); --page: #14181c; --ink: #e4e8ec;
  --soft: #a2adb8; --line: #333c45; --other-text: var(--other); } }
"""


class Series(NamedTuple):
    """A line. style: its colour and dashes, 0 to 5; faint: one of many like it, behind others."""

    name: str
    points: Sequence[tuple[float, float]]
    style: int = 0
    faint: bool = False


class Point(NamedTuple):
    """A value with its interval, if it has one. kind: ours, aside (hollow) or theirs (diamond)."""

    name: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    kind: str = "ours"


def panel(width: float, height: float, parts: Sequence[str], label: str) -> str:
    """The parts as one image of this name."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    head = f'<svg class="panel" role="img" aria-label="{escape(label)}" {size}>'
    return head + "".join(parts) + "</svg>"


def sheet(panels: Sequence[str], columns: int = 3, ours: str = "#0072B2", other: str = "#D55E00"):
    """Panels as one SVG file that needs no page: `columns` beside each other."""
    sizes = [
        tuple(map(float, re.search(r'width="([\d.]+)" height="([\d.]+)"', one).groups()))
        for one in panels
    ]
    placed, y, widest = [], 0.0, 0.0
    for first in range(0, len(panels), columns):
        x, row = 0.0, slice(first, first + columns)
        for one, (width, _) in zip(panels[row], sizes[row], strict=True):
            placed.append(one.replace('class="panel"', f'class="panel" x="{x:g}" y="{y:g}"', 1))
            x += width + 16
        widest, y = max(widest, x - 16), y + max(height for _, height in sizes[row]) + 16
    size = f'width="{widest:g}" height="{y - 16:g}" viewBox="0 0 {widest:g} {y - 16:g}"'
    style = f"<style>{COLOURS % {'ours': ours, 'other': other}}{STYLE}</style>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return "\n".join([head, style, *placed, "</svg>"]) + "\n"


def panels_of(text: str) -> list[str]:
    """The panels of a file that `sheet` wrote, for a page that has STYLE."""
    found = re.findall(r'<svg class="panel".*?</svg>', text, re.S)
    return [re.sub(r'class="panel" x="\S+" y="\S+"', 'class="panel"', one) for one in found]


def words(x: float, y: float, content: object, kind: str = "", anchor: str = "", more: str = ""):
    """A text; y is that of its baseline."""
    kind = f' class="{kind}"' if kind else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}{anchor}{more}>{escape(str(content))}</text>'


def stroke(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def tip(content: object) -> str:
    return f"<title>{escape(str(content))}</title>"


def short(name: str, most: int) -> str:
    """`name` in at most so many letters."""
    return name if len(name) <= most else name[: most - 1] + "…"


def heading(title: str, width: float = WIDTH) -> list[str]:
    """The lines of a title; there are none if it is empty."""
    wrapped = textwrap.wrap(title, max(12, int(width / 6.9)))
    return [words(0, 12 + LINE * row, line, "head") for row, line in enumerate(wrapped)]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from low to high, about `most`, by 1, 2 or 5 times a power of ten; or low."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** floor(log10(span / most))
    step = next(power * k for k in (1, 2, 5, 10) if span / (power * k) <= most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [float(f"{k * step:.10g}") for k in range(first, last + 1)] or [low]


def powers(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten, or the powers if many."""
    found = [10.0**e for e in range(floor(log10(low)), ceil(log10(high)) + 1)]
    if len(found) < 4:
        found = [k * one for one in found for k in (1, 2, 5)]
    inside = [float(f"{tick:.10g}") for tick in found if low * 0.999 <= tick <= high * 1.001]
    return inside[:: ceil(len(inside) / 6)] or [low]


class Axis:
    """Numbers from low to high, or their logarithms, as pixels from start to end."""

    def __init__(self, low: float, high: float, start: float, end: float, log: bool = False):
        self.log, self.start, self.end = log, start, end
        self.ticks = powers(low, high) if log else ticks(low, high)
        self.low, self.high = (log10(low), log10(high)) if log else (low, high)
        if self.low == self.high:
            self.low, self.high = self.low - 0.5, self.high + 0.5

    def at(self, value: float) -> float:
        share = ((log10(value) if self.log else value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def lines(
    series: Sequence[Series],
    label: str,
    x_title: str,
    y_title: str,
    title: str = "",
    log_x: bool = False,
    write=lambda value: f"{value:g}",
) -> str:
    """Lines on common axes, the names below them, each once. y is logarithmic if it spans a decade.

    write: how a number at the x axis is written.
    """
    head = heading(title)
    xs, ys = zip(*(point for one in series for point in one.points), strict=True)
    log_y = min(ys) > 0 and max(ys) > 10 * min(ys)
    room = 0 if log_y else 0.04 * (max(ys) - min(ys))
    top = LINE * len(head) + 20
    y = Axis(min(ys) - room, max(ys) + room, top + TALL, top, log_y)
    marks = [f"{tick:g}" for tick in y.ticks]
    left = 8 + LETTER * max(map(len, marks))
    x = Axis(min(xs), max(xs), left, WIDTH - 10, log_x)
    whole = all(float(value).is_integer() for value in xs)  # There is no epoch one and a half.
    x.ticks = [tick for tick in x.ticks if not whole or float(tick).is_integer()]
    parts = [*head, words(0, top - 8, y_title)]
    for tick, mark in zip(y.ticks, marks, strict=True):
        parts.append(stroke(left, y.at(tick), WIDTH - 10, y.at(tick), "grid"))
        parts.append(words(left - 5, y.at(tick) + 4, mark, anchor="end"))
    free = 0.0
    for tick in x.ticks:
        half = LETTER * len(write(tick)) / 2
        if x.at(tick) - half >= free:
            parts.append(words(x.at(tick), top + TALL + 16, write(tick), anchor="middle"))
            free = x.at(tick) + half + 8
    parts.append(words(WIDTH - 10, top + TALL + 31, x_title, anchor="end"))
    for one in sorted(series, key=lambda one: not one.faint):
        places = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in one.points)
        kind = f"line s{one.style % 6}{' faint' * one.faint}"
        told = tip(f"{one.name}: {one.points[-1][1]:.4g} at {write(one.points[-1][0])}")
        if len(one.points) == 1:
            a, b = x.at(one.points[0][0]), y.at(one.points[0][1])
            parts.append(f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3">{told}</circle>')
        else:
            shape = f'class="{kind}"{dashes(one.style)} points="{places}"'
            parts.append(f"<polyline {shape}>{told}</polyline>")
    names = {one.name: one.style for one in series}
    # Beside each other if they are short.
    columns = 2 if len(names) > 1 and max(map(len, names)) < 20 else 1
    below, height = legend(names, top + TALL + 38, columns)
    return panel(WIDTH, height + 4, [*parts, *below], label)


def legend(names: Mapping[str, int], top: float, columns: int = 1) -> tuple[list[str], float]:
    """Names of lines by their styles, below `top`, and where they end."""
    parts = []
    for place, (name, style) in enumerate(names.items()):
        x, y = WIDTH / columns * (place % columns), top + 16 * (place // columns) + 8
        sample = f'x1="{x:.1f}" y1="{y}" x2="{x + 24:.1f}" y2="{y}"'
        parts.append(f'<line class="line s{style % 6}"{dashes(style)} {sample}/>')
        parts.append(words(x + 30, y + 4, short(name, 50 // columns)))
    return parts, top + 16 * -(-len(names) // columns)


def dashes(style: int) -> str:
    """The dashes of a style, so that lines differ without their colours, too."""
    return f' stroke-dasharray="{DASHES[style % 4]}"' if style % 4 else ""


def bars(rows: Sequence[tuple[str, float, str]], label: str, title: str = "") -> str:
    """Horizontal bars from zero: (name, value of 0 or more, the value as a text)."""
    head = heading(title)
    top, highest = LINE * len(head) + 4, max(value for _, value, _ in rows) or 1.0
    parts = [*head]
    for row, (name, value, text) in enumerate(rows):
        y = top + 34 * row
        length = (WIDTH - 70) * value / highest
        told = tip(f"{name}: {text}")
        parts.append(words(0, y + 12, short(name, 54)))
        rect = f'x="0" y="{y + 17}" width="{length:.1f}" height="11"'
        parts.append(f'<rect class="ours" {rect}>{told}</rect>')
        parts.append(words(length + 6, y + 26, text, "strong"))
    return panel(WIDTH, top + 34 * len(rows), parts, label)


def intervals(points: Sequence[Point], label: str, axis_title: str, title: str = "") -> str:
    """A row per point, its name above it: a dot if ours, else a diamond; bars for intervals."""
    head = heading(title)
    known = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    spread = (max(known) - min(known)) or abs(max(known)) * 0.1 or 1.0
    x = Axis(min(known) - 0.05 * spread, max(known) + 0.05 * spread, 4, WIDTH - 56)
    top, bottom = LINE * len(head) + 4, LINE * len(head) + 8 + 31 * len(points)
    parts = [*head, *(stroke(x.at(t), top, x.at(t), bottom, "grid") for t in x.ticks)]
    for row, one in enumerate(points):
        y = top + 31 * row
        strong = "strong" if one.kind == "ours" else ""
        parts.append(words(0, y + 12, short(one.name, 56 if not strong else 50), strong))
        parts.append(dot(one, x, y + 22))
        parts.append(words(WIDTH, y + 26, one.text, strong, "end"))
    for tick in x.ticks:
        parts.append(words(x.at(tick), bottom + 13, f"{tick:g}", anchor="middle"))
    parts.append(words(WIDTH, bottom + 28, axis_title, anchor="end"))
    return panel(WIDTH, bottom + 32, parts, label)


def dot(one: Point, x: Axis, y: float) -> str:
    """A point and its interval at the height y."""
    told = tip(f"{one.name}: {one.text}")
    found = ""
    if one.low is not None:
        found = stroke(x.at(one.low), y, x.at(one.high), y, "ours range")
    at = x.at(one.value)
    if one.kind == "theirs":
        shape = f'd="M{at:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"'
        return f'{found}<path class="theirs" {shape}>{told}</path>'
    return f'{found}<circle class="{one.kind}" cx="{at:.1f}" cy="{y:.1f}" r="4">{told}</circle>'


def strip(points: Sequence[Point], label: str, width: float = 130) -> str:
    """Points on one short line without axes, for a table's cell."""
    known = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    spread = (max(known) - min(known)) or 1.0
    x = Axis(min(known) - 0.1 * spread, max(known) + 0.1 * spread, 6, width - 6)
    parts = [stroke(0, 11, width, 11, "grid"), *(dot(one, x, 11) for one in points)]
    return panel(width, 22, parts, label)


def matrix(counts: np.ndarray, names: Sequence[str], label: str, title: str = "") -> str:
    """A confusion matrix (K, K): row i, column j counts examples of class i taken for class j.

    Colour shows errors alone, by the square root of their share in the true class.
    """
    head, size = heading(title, 210 if len(counts) < 5 else WIDTH), len(counts)
    left = max(40.0, 6 + LETTER * min(14, max(map(len, names))))
    cell = min(40.0, (WIDTH - left - 4) / size)
    top = LINE * len(head) + 18
    errors = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    np.fill_diagonal(errors, 0.0)
    worst = errors.max() or 1.0
    parts = [*head, words(0, top - 5, "true ↓"), words(left, top - 5, "predicted →")]
    every = ceil(LINE / cell)
    for i, name in enumerate(names):
        y = top + cell * i
        if i % every == 0:
            parts.append(words(left - 5, y + cell / 2 + 4, short(name, 14), anchor="end"))
            at = left + cell * (i + 0.6), top + cell * size + 11
            turned = f' transform="rotate(-45 {at[0]:.1f} {at[1]:.1f})"'
            parts.append(words(*at, short(name, 14), anchor="end", more=turned))
        for j, other in enumerate(names):
            count, x = int(counts[i, j]), left + cell * j
            if not count:
                continue
            told = tip(f"{count} of {name} taken for {other}" if i != j else f"{count} of {name}")
            rect = f'x="{x:.1f}" y="{y:.1f}" width="{cell:.1f}" height="{cell:.1f}"'
            if i != j:
                shade = 0.75 * (errors[i, j] / worst) ** 0.5
                rect += f' class="bad" fill-opacity="{shade:.2f}"'
            else:
                rect += ' class="box"'
            parts.append(f"<rect {rect}>{told}</rect>")
            if cell >= 20:
                text = str(count) if count < 1000 or cell > 32 else f"{count / 1000:.1f}k"
                parts.append(words(x + cell / 2, y + cell / 2 + 4, text, "ink", "middle"))
    side = f'x="{left:.1f}" y="{top}" width="{cell * size:.1f}" height="{cell * size:.1f}"'
    parts.append(f'<rect class="box" {side}/>')
    height = top + cell * size + 16 + 0.7 * (left - 6)
    return panel(min(WIDTH, max(left + cell * size + 4, 200)), height, parts, label)


def heat(
    values: np.ndarray,
    label: str,
    title: str = "",
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    top: float | None = None,
    width: float = WIDTH,
) -> str:
    """Numbers (R, C) as a picture: transparent where zero, blue above, orange below.

    rows, columns: what is written beside them, as many as there is room for. top: the number that
    has the full colour, the largest by default.
    """
    head = heading(title, width)
    left = 6 + LETTER * max(map(len, rows), default=0)
    high, wide = values.shape
    cell = min(16.0, (width - left) / wide)
    tall = cell if rows else min(cell, 200 / high)
    tall = max(tall, 13.0) if rows and high <= 12 else tall
    y = LINE * len(head) + 8
    uri = png.uri(png.heat(values, top))
    place = f'x="{left:.1f}" y="{y}" width="{cell * wide:.1f}" height="{tall * high:.1f}"'
    parts = [*head, f'<image {place} preserveAspectRatio="none" href="{uri}"/>']
    parts.append(f'<rect class="box" {place}/>')
    every = ceil(11 / tall)
    for row in range(0, len(rows), every):
        parts.append(words(left - 4, y + tall * (row + 0.5) + 4, rows[row], "ink", "end"))
    turned, every = max(map(len, columns), default=0) > 1, ceil(10 / cell)
    for column in range(0, len(columns), every):
        x, below = left + cell * (column + 0.5), y + tall * high + 12
        more = f' transform="rotate(-90 {x + 4:.1f} {below - 6:.1f})"' if turned else ""
        at = (x + 4, below - 6) if turned else (x, below)
        parts.append(words(*at, columns[column], "ink", "end" if turned else "middle", more))
    below = LETTER * max(map(len, columns), default=0) + 4 if turned else 16 * bool(columns)
    return panel(max(left + cell * wide + 1, 80), y + tall * high + below + 4, parts, label)


def photo(image: np.ndarray, said: str, true: str, told: str, label: str) -> str:
    """A picture, uint8 (H, W) or (H, W, 3), that a model took for another: both names below it."""
    place = 'x="8" y="0" width="72" height="72"'
    uri = png.uri(png.photo(image))
    parts = [f'<image {place} href="{uri}">{tip(told)}</image>']
    parts += [words(44, 86, short(said, 14), "bad", "middle")]
    parts += [words(44, 100, short(f"is {true}", 14), "", "middle")]
    return panel(88, 106, parts, label)


def mosaic(images: np.ndarray, label: str, title: str = "", columns: int = 12) -> str:
    """Small pictures, uint8 (N, h, w, 3), beside each other in rows of `columns`."""
    head, side = heading(title), (WIDTH - 4) / columns
    top = LINE * len(head) + 8
    parts = [*head]
    for place, image in enumerate(images):
        x, y = side * (place % columns), top + side * (place // columns)
        at = f'x="{x:.1f}" y="{y:.1f}" width="{side - 2:.1f}" height="{side - 2:.1f}"'
        parts.append(f'<image {at} href="{png.uri(png.photo(image))}"/>')
    return panel(WIDTH, top + side * -(-len(images) // columns) + 2, parts, label)


def strings(rows: Sequence[tuple[str, Sequence[str]]], label: str, title: str = "") -> str:
    """Lines of fixed width under a line of words each: a sequence that a model got wrong."""
    parts, y = heading(title), LINE * len(heading(title)) + 4
    for said, wrapped in rows:
        parts.append(words(0, y + 12, said, "strong"))
        for row, line in enumerate(wrapped, 1):
            parts.append(words(0, y + 12 + LINE * row, line, "mono"))
        y += LINE * (1 + len(wrapped)) + 6
    return panel(WIDTH, y, parts, label)
