"""The look that all figures share, and what all plotting programs do.

Colour alone never carries a meaning: marks differ in shape, line style or text too. The same data
give the same bytes.
"""

import argparse
import io
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.read_json import read_json
from reporting.settings import Colour

INK, GREY, FAINT = "#1F2933", "#5F6B76", "#D9DEE3"

STYLE = {
    "svg.hashsalt": "neural-networks-and-transformers",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    **dict.fromkeys(("font.size", "axes.labelsize"), 9.5),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 8.5),
    "text.color": INK,
    **dict.fromkeys(("xtick.color", "ytick.color", "axes.labelcolor"), GREY),
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#9AA5B1",
    "axes.linewidth": 0.8,
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "axes.grid"), False),
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.7,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}
# Texts beside a mark; xytext is how far, in points.
BESIDE = {"textcoords": "offset points", "va": "center"}


class Look(settings.Settings):
    """The settings of every plotting program: which figures, their titles, their look."""

    names: list[str] = Field([], description="file names of the figures")
    titles: list[str] = Field([], description="title of each figure, such as its data set's")
    groups: list[int] = Field([], description="number of each input's figure, if it has several")
    dpi: int = Field(144, ge=72, le=600, description="dots per inch of pixel parts")
    heat_map: str = Field("Blues", description="colour map")
    ours: Colour = Field("#0072B2", description="colour of this run's results")
    mark: Colour = Field("#D55E00", description="colour of what was selected")


def arguments(description: str, look: type[Look], inputs: Mapping[str, str]) -> argparse.Namespace:
    """The command line of a plotting program; sets the shared look for all its figures."""
    args = settings.arguments(description, look, inputs, {"figures": "folder of the figures"})
    start(args.spec.dpi)
    return args


def start(dpi: int) -> None:
    plt.rcdefaults()
    plt.rcParams.update({**STYLE, "figure.dpi": dpi, "savefig.dpi": dpi})


def grouped(look: Look, inputs: Sequence[Path], keys: Sequence[str]) -> list[list[dict]]:
    """The contents of the JSON files `inputs`, objects with `keys`, a list for each figure."""
    records: list[list[dict]] = [[] for _ in look.names]
    for path, group in zip(inputs, look.groups, strict=True):
        records[group].append(read_json(path, keys))
    return records


def plot_each(
    args: argparse.Namespace, contents: Iterable, plot: Callable[[Any, str, Any], Figure]
) -> None:
    """Write a figure for each of `contents`: plot(content, title, look) draws it.

    Raises InputError if the settings do not have one name and one title for each.
    """
    look, contents = args.spec, list(contents)
    for what, found in (("names", look.names), ("titles", look.titles)):
        if len(found) != len(contents):
            raise InputError(f"--spec {what}: expected {len(contents)}, found {len(found)}")
    for content, name, title in zip(contents, look.names, look.titles, strict=True):
        save(plot(content, title, look), args.figures / name)


def titled(title: str, own: str) -> str:
    """The data set's `title` and the one that a file holds, neither said twice."""
    base = title.removesuffix(" (stand-in)")
    return own + title.removeprefix(base) if base in own else f"{title}: {own}"


def save(figure: Figure, path: Path) -> None:
    """Write `figure` as SVG without date or creator, and close it."""
    held = io.StringIO()
    figure.savefig(held, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # Trailing blanks would make committed figures fail git's whitespace check.
    write_text(path, "\n".join(line.rstrip() for line in held.getvalue().splitlines()) + "\n")


def heading(figure: Figure, title: str, second: str = "") -> None:
    """Write `title`, wrapped to the figure's width, and a `second` line over all panels."""
    # A bold letter of 10.5 points is about 0.1 inch wide.
    wrapped = textwrap.fill(title, max(20, int(figure.get_figwidth() * 9.6)))
    text = plain(wrapped) + (f"\n{second}" if second else "")
    figure.suptitle(text, x=0.01, ha="left", fontsize=10.5, fontweight="bold")


def colour_bar(image: object, label: str = "", **options: object) -> object:
    """A colour bar without a frame, of an image in a figure."""
    bar = image.figure.colorbar(image, **options)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


def text_colour(image: object, value: float) -> str:
    """Black or white, whichever reads better on the colour that `image` gives to `value`."""
    red, green, blue, _ = image.cmap(image.norm(value))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else INK


def plain(text: object) -> str:
    """`text` as matplotlib shows it literally: a $ would begin a formula."""
    return str(text).replace("$", r"\$")
