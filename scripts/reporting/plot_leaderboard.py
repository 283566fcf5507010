"""Plot the leaderboard: a figure per data set, a panel per metric, published results beside ours.

It shows the test split, or validation where we have no test value. Ensembles, test-time views and
parts of the split are hollow: they are not one model that reads each example of the split once.
"""

import textwrap
from itertools import filterfalse

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from pydantic import Field

from pipeline import settings
from pipeline.errors import InputError
from reporting import leaderboard, plots
from reporting.formats import label, several_inputs
from reporting.leaderboard import METRICS, OURS, SPLITS, number, order, ordinary
from reporting.settings import Colour


class Spec(plots.Look):
    datasets: list[str] = Field([], description="data sets of the figures, in their order")
    rows: int = Field(14, ge=3, le=40, description="most rows shown in a panel, the best ones")
    published: Colour = Field("#D55E00", description="colour of published ones")


def keep(group: list[dict], most: int) -> list[dict]:
    """At most `most` rows: our ordinary ones, then the best published and the best other ones.

    Of the room that ordinary rows leave, published results get half if there are so many.
    """
    ours = [row for row in group if row["source"] == OURS]
    single, aside = [row for row in ours if ordinary(row)][:most], [*filterfalse(ordinary, ours)]
    left = most - len(single)
    published = [row for row in group if row["source"] != OURS]
    published = published[: max(left // 2, left - len(aside))]
    return sorted([*single, *published, *aside[: left - len(published)]], key=order)


def labels(group: list[dict]) -> list[str]:
    """The names beside the rows. Long ones wrap, so that the axis has room."""
    inputs = several_inputs(group)
    several = len({row["run"] for row in group} - {None}) > 1
    made = (
        f" [{row['implementation']}{', ' + row['run'] if several else ''}]" if row["run"] else ""
        for row in group
    )
    names = (label(row, inputs) + by for row, by in zip(group, made, strict=True))
    return [textwrap.fill(plots.plain(name), 42) for name in names]


def height(group: list[dict]) -> float:
    """Inches of a panel: rows for labels of two lines, or more where one has more."""
    lines = max(name.count("\n") + 1 for name in labels(group))
    return (0.34 + 0.13 * max(0, lines - 2)) * len(group) + 0.62


def draw(axes: Axes, group: list[dict], spec: Spec) -> None:
    """A panel: a row per result, the best one on top."""
    for y, row in enumerate(group):
        ours, value = row["source"] == OURS, row["value"]
        single = ours and ordinary(row)
        colour = spec.ours if ours else spec.published
        mark = {"marker": "o", "s": 42} if ours else {"marker": "D", "s": 30}
        fill = colour if single else "white"
        axes.scatter(value, y, edgecolors=colour, facecolors=fill, zorder=3, **mark)
        if row["ci_low"] is not None:
            axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, lw=2.2, alpha=0.6)
        style = {"fontsize": 8.5, "fontweight": "bold" if single else "normal", "xytext": (7, 0)}
        end = (max(value, row["ci_high"] or value), y)
        axes.annotate(number(row["metric"], value), end, **style, **plots.BESIDE)
    axes.set_yticks(range(len(group)), labels(group), fontsize=8)
    for name, row in zip(axes.get_yticklabels(), group, strict=True):
        name.set_color(plots.INK if row["source"] == OURS else plots.GREY)
    axes.set_ylim(len(group) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    finish_values(axes, group)


def finish_values(axes: Axes, group: list[dict]) -> None:
    """The axis of the values: room for the numbers, no tick beyond what the metric can reach."""
    metric = METRICS[group[0]["metric"]]
    values = [row[k] for row in group for k in ("value", "ci_low", "ci_high") if row[k] is not None]
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) * 0.1 or 1.0
    shown = (low - 0.08 * spread, high + 0.24 * spread)
    axes.set_xlim(shown)
    ticks = MaxNLocator(5).tick_values(*shown)
    axes.set_xticks([tick for tick in ticks if tick <= metric.high])
    axes.set_xlim(shown)  # The ticks may have widened it.
    axes.grid(axis="x")
    better = "more is better" if metric.more_is_better else "less is better"
    axes.set_xlabel(f"{metric.title}, {SPLITS[group[0]['split']]} ({better})")


def plot(rows: list[dict], title: str, spec: Spec) -> plt.Figure:
    groups = [keep(group, spec.rows) for group in leaderboard.panels(rows)]
    if not groups:
        raise InputError(f"{title}: the leaderboard has no row of this run on this data set")
    heights = [height(group) for group in groups]
    size = (6.6, sum(heights) + 0.75)
    figure, grid = plt.subplots(len(groups), 1, figsize=size, squeeze=False, height_ratios=heights)
    for axes, group in zip(grid.flat, groups, strict=True):
        draw(axes, group, spec)
    plots.heading(figure, title)
    kinds = {(row["source"] == OURS, ordinary(row)) for group in groups for row in group}
    key = [("this run, with 95 % interval", "o", spec.ours, "full")]
    if (True, False) in kinds:
        key.append(("ensemble, test-time views or part of the split", "o", spec.ours, "none"))
    if (False, False) in kinds:
        key.append(("published", "D", spec.published, "none"))
    handles = [
        plt.Line2D([], [], ls="", label=text, marker=mark, color=colour, fillstyle=fill)
        for text, mark, colour, fill in key
    ]
    figure.legend(handles=handles, loc="outside lower right", ncols=len(key))
    return figure


def main() -> None:
    args = plots.arguments(__doc__, Spec, {"leaderboard": "leaderboard.csv"})
    rows = leaderboard.read_leaderboard(args.leaderboard)
    groups = ([row for row in rows if row["dataset"] == name] for name in args.spec.datasets)
    plots.plot_each(args, groups, plot)


if __name__ == "__main__":
    settings.run(main)
