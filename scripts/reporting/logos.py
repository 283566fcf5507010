"""Sequence logos (Schneider and Stephens 1990, Nucleic Acids Research 18) as panels of charts.py.

A letter is a path of a unit square that is scaled, so that it is as high as its meaning on every
page; its colour only helps.
"""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np

from reporting import charts
from reporting.charts import LINE, WIDTH

# In a square of 100 x 100, y downwards.
GLYPHS = {
    "A": "M0 100L37 0H63L100 100H77L69 77H31L23 100ZM37 59H63L50 20Z",
    "C": "M96 24A50 50 0 1 0 96 76L77 66A31 31 0 1 1 77 34Z",
    "G": "M96 24A50 50 0 1 0 98 74V46H55V63H79V66A31 31 0 1 1 77 34Z",
    "T": "M0 0H100V19H61V100H39V19H0Z",
    "N": "M0 0H22L78 66V0H100V100H78L22 34V100H0Z",
}
BIT = 32  # Pixels of one of the two bits of a place.
ROW, ROWS = 40, 4  # Letters of a line of a profile, and lines.
UP, DOWN = 40, 14  # Pixels above and below the zero of a profile's line.
TWO = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M"}


def glyph(letter: str, x: float, y: float, width: float, height: float) -> str:
    """A letter that fills the box from (x, y) on; below 0, `height` turns it over."""
    place = f"translate({x:.1f} {y:.1f})scale({width / 100:.3f} {height / 100:.3f})"
    return f'<path class="glyph {letter}" transform="{place}" d="{GLYPHS[letter]}"/>'


def information(counts: np.ndarray) -> np.ndarray:
    """The heights (W, 4) of letters, in bits: the share of each, times the information of its
    place, less what is expected of so few sequences by chance."""
    number = counts.sum(axis=1, keepdims=True)  # (W, 1)
    share = counts / np.maximum(number, 1)  # (W, 4)
    entropy = -(share * np.log2(np.maximum(share, 1e-12))).sum(axis=1, keepdims=True)
    few = 3 / (2 * log(2) * np.maximum(number, 1))
    return share * np.maximum(2 - entropy - few, 0)


def column(heights: Sequence[float], x: float, bottom: float, width: float) -> list[str]:
    """The letters of a place on each other, the highest on top."""
    parts = []
    for height, letter in sorted(zip(heights, "ACGT", strict=True)):
        if height * BIT >= 0.5:
            bottom -= height * BIT
            parts.append(glyph(letter, x, bottom, width, height * BIT))
    return parts


def logo(motif: Mapping, name: str, both_strands: bool, label: str) -> str:
    """A motif of motifs.json, the consensus that it is like below it, and its reverse complement
    where a class does not depend on the strand."""
    counts = np.array(motif["letters"], float)  # (W, 4)
    head = charts.heading(f"{motif['class']}: {name}")
    left, top = 26.0, LINE * len(head) + 22
    width = (WIDTH - left) / len(counts)
    parts = [*head, charts.words(0, top - 8, "bits")]
    strands = [(counts, motif["known"])] + [(counts[::-1, ::-1], None)] * both_strands
    for turned, known in strands:
        bottom = top + 2 * BIT
        for bits in (0, 1, 2):
            parts.append(
                charts.stroke(left, bottom - BIT * bits, WIDTH, bottom - BIT * bits, "grid")
            )
            parts.append(charts.words(left - 6, bottom - BIT * bits + 4, bits, anchor="end"))
        for at, heights in enumerate(information(turned)):
            parts += column(heights, left + width * at + 1, bottom, width - 2)
        if known:
            for at, letter in enumerate(known["consensus"], motif["place"]):
                middle = left + width * (at + 0.5)
                parts.append(charts.words(middle, bottom + 14, letter, "mono ink", "middle"))
        elif turned is not counts:
            parts.append(charts.words(WIDTH, bottom + 14, "reverse complement", anchor="end"))
        top = bottom + 24
    return charts.panel(WIDTH, top, parts, label)


def motif_names(record: Mapping) -> list[str]:
    """What the motifs of a motifs.json are called: as the known one, or by their number."""
    return [
        one["known"]["name"] if one["known"] else f"motif {number}"
        for number, one in enumerate(record["motifs"], 1)
    ]


def word(motif: Mapping) -> str:
    """A motif's own letters in IUPAC's: one or two that most pieces have, or N."""
    found = []
    for counts in motif["letters"][motif["place"] :][: motif["length"]]:
        ranked = sorted(zip(counts, "ACGT", strict=True), reverse=True)
        total = sum(counts) or 1
        if ranked[0][0] >= 0.6 * total:
            found.append(ranked[0][1])
        elif ranked[0][0] + ranked[1][0] >= 0.8 * total:
            found.append(TWO["".join(sorted(ranked[0][1] + ranked[1][1]))])
        else:
            found.append("N")
    return "".join(found)


def logos(record: Mapping, of: str) -> list[str]:
    """A panel for each motif of a motifs.json; of: the model, for the panels' names."""
    told = zip(record["motifs"], motif_names(record), strict=True)
    return [
        logo(motif, name, record["both_strands"], f"{of}: logo of motif {number}, {name}")
        for number, (motif, name) in enumerate(told, 1)
    ]


def profile(one: Mapping, called: Sequence[str], label: str) -> str:
    """A sequence, its letters as high as their effects, with the motifs marked.

    Of a long one, the ROWS * ROW letters around its strongest.
    """
    effects, width = np.array(one["effects"]), WIDTH / ROW
    most = ROW * ROWS
    begin = max(0, min(int(np.abs(effects).argmax()) - most // 2, len(effects) - most))
    shown = range(begin, min(begin + most, len(effects)))
    up, down = max(effects[shown].max(), 1e-9), max(-effects[shown].min(), 1e-9)
    scale = min(UP / up, DOWN / down)
    head = charts.heading(f"{one['id']}: {one['class']}, p = {one['probability']:.3f}")
    parts, top = [*head], LINE * len(head) + 4
    for first in range(begin, shown.stop, ROW):
        zero, row = top + UP, range(first, min(first + ROW, shown.stop))
        parts.append(charts.stroke(0, zero, width * len(row), zero, "grid"))
        for at in row:
            if abs(height := effects[at] * scale) >= 0.5:
                x = width * (at - first) + 0.5
                place = (x, zero - height, width - 1, height)
                parts.append(glyph(one["letters"][at], *place))
        base, places = zero + DOWN + 10, " ".join(f"{width * k + 1:.1f}" for k in range(len(row)))
        letters = one["letters"][row.start : row.stop]
        parts.append(f'<text class="mono" x="{places}" y="{base}">{letters}</text>')
        free = -1.0
        for number, start, end in one["marks"]:
            x1, x2 = width * (max(start, row.start) - first), width * (min(end, row.stop) - first)
            if x2 > x1 and x1 >= free:
                parts.append(charts.stroke(x1, base + 4, x2, base + 4, "mark"))
                if start >= row.start:
                    free = x1 + charts.LETTER * len(called[number])
                    at = min(x1, WIDTH - charts.LETTER * len(called[number]))
                    parts.append(charts.words(at, base + 17, called[number]))
        top = base + 26
    return charts.panel(WIDTH, top, parts, label)


def profiles(record: Mapping, of: str) -> list[str]:
    """A panel for each profile of a motifs.json; of: the model, for the panels' names."""
    called = motif_names(record)
    return [
        profile(one, called, f"{of}: profile {number}, {one['id']}")
        for number, one in enumerate(record["profiles"], 1)
    ]
