"""Plot the leaderboard: a figure per data set, a panel per metric, published results beside ours.

It shows the test split, or validation where we have no test value. Ensembles, test-time views and
parts of the split are hollow: they are not one model that reads each example of the split once.
"""

import textwrap

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from pydantic import Field

from pipeline import settings
from pipeline.errors import InputError
from reporting import plots
from reporting.formats import label, several_inputs
from reporting.leaderboard import METRICS, OURS, number, order, ordinary, read_leaderboard

SPLITS = {"test": "test split", "val": "validation split", "cv": "cross-validation"}


class Spec(plots.Look):
    datasets: list[str] = Field([], description="data sets of the figures, in their order")
    rows: int = Field(14, ge=3, le=40, description="most rows shown in a panel, the best ones")
    ours: str = Field("#0072B2", pattern=plots.COLOUR, description="colour of this run")
    published: str = Field("#D55E00", pattern=plots.COLOUR, description="colour of published ones")


def panels(rows: list[dict]) -> list[list[dict]]:
    """The rows of one data set, a list per metric, of the first of SPLITS with a row of ours."""
    found = []
    for metric in dict.fromkeys(row["metric"] for row in rows):
        for split in SPLITS:
            group = [r for r in rows if r["metric"] == metric and r["split"] == split]
            if any(row["source"] == OURS for row in group):
                found.append(sorted(group, key=order))
                break
    return found


def keep(group: list[dict], most: int) -> list[dict]:
    """At most `most` rows: our ordinary ones, then the best published and the best other ones.

    Of the room that ordinary rows leave, published results get half if there are so many.
    """
    single = [row for row in group if row["source"] == OURS and ordinary(row)][:most]
    aside = [row for row in group if row["source"] == OURS and not ordinary(row)]
    others = [row for row in group if row["source"] != OURS]
    left = most - len(single)
    published = others[: max(left // 2, left - len(aside))]
    return sorted([*single, *published, *aside[: left - len(published)]], key=order)


def labels(group: list[dict]) -> list[str]:
    """The names beside the rows. Long ones wrap, so that the axis has room."""
    inputs = several_inputs(group)
    names = [
        label(row, inputs) + (f" [{row['implementation']}]" if row["source"] == OURS else "")
        for row in group
    ]
    return [textwrap.fill(plots.plain(name), 42) for name in names]


def height(group: list[dict]) -> float:
    """Inches of a panel: rows for labels of two lines, or more where one has more."""
    lines = max(name.count("\n") + 1 for name in labels(group))
    return (0.34 + 0.13 * max(0, lines - 2)) * len(group) + 0.62


def draw(axes: Axes, group: list[dict], spec: Spec) -> None:
    """A panel: a row per result, the best one on top."""
    metric = group[0]["metric"]
    for y, row in enumerate(group):
        ours = row["source"] == OURS
        single = ours and ordinary(row)
        colour = spec.ours if ours else spec.published
        mark = {"marker": "o", "s": 42} if ours else {"marker": "D", "s": 30}
        fill = colour if single else "white"
        axes.scatter(row["value"], y, edgecolors=colour, facecolors=fill, zorder=3, **mark)
        if row["ci_low"] is not None:
            axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, lw=2.2, alpha=0.6)
        end = max(row["value"], row["ci_high"] or row["value"])
        style = {"xytext": (7, 0), "textcoords": "offset points", "va": "center", "fontsize": 8.5}
        weight = "bold" if single else "normal"
        axes.annotate(number(metric, row["value"]), (end, y), fontweight=weight, **style)
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
    axes.set_xlim(low - 0.08 * spread, high + 0.24 * spread)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    shown = axes.get_xlim()
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= metric.high])
    axes.set_xlim(shown)
    axes.grid(axis="x")
    better = "more is better" if metric.more_is_better else "less is better"
    axes.set_xlabel(f"{metric.title}, {SPLITS[group[0]['split']]} ({better})")


def plot(rows: list[dict], title: str, spec: Spec) -> plt.Figure:
    groups = [keep(group, spec.rows) for group in panels(rows)]
    heights = [height(group) for group in groups]
    size = (6.6, sum(heights) + 0.75)
    figure, grid = plt.subplots(len(groups), 1, figsize=size, squeeze=False, height_ratios=heights)
    for axes, group in zip(grid.flat, groups, strict=True):
        draw(axes, group, spec)
    plots.heading(figure, title)
    shown = [row for group in groups for row in group]
    key = [("this run, with 95 % interval", {"marker": "o", "color": spec.ours})]
    if any(row["source"] == OURS and not ordinary(row) for row in shown):
        aside = {"marker": "o", "color": spec.ours, "markerfacecolor": "none"}
        key.append(("ensemble, test-time views or part of the split", aside))
    if any(row["source"] != OURS for row in shown):
        hollow = {"marker": "D", "color": spec.published, "markerfacecolor": "none"}
        key.append(("published", hollow))
    handles = [plt.Line2D([], [], ls="", label=text, **mark) for text, mark in key]
    figure.legend(handles=handles, loc="outside lower right", ncols=len(key))
    return figure


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"leaderboard": "leaderboard.csv"},
        outputs={"figures": "folder of the figures"},
    )
    spec = args.spec
    plots.start(spec.dpi)
    rows = read_leaderboard(args.leaderboard)
    datasets = spec.datasets or list(dict.fromkeys(row["dataset"] for row in rows))
    names = spec.names or [f"{dataset.replace('/', '-')}.svg" for dataset in datasets]
    titles = spec.titles or datasets
    for dataset, name, title in zip(datasets, names, titles, strict=True):
        here = [row for row in rows if row["dataset"] == dataset]
        if not panels(here):
            raise InputError(
                f"{args.leaderboard}: no validation or test row of this run on {dataset}: is its"
                " metrics.json in REPORT['metrics'] of the rules?"
            )
        plots.save(plot(here, title, spec), args.figures / name)


if __name__ == "__main__":
    settings.run(main)
