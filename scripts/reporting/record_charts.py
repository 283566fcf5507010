"""The charts of the report that are drawn from its tables and JSON files: panels of charts.py."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import filterfalse

import numpy as np

from reporting import charts, race
from reporting.charts import Point, Series
from reporting.formats import counted, flops, label, several_inputs, trained_label
from reporting.leaderboard import METRICS, OURS, SPLITS, number, order, ordinary, panels

QUANTITIES = {"loss": "loss (nats)", "accuracy": "accuracy", "exact_match": "exact match"}
FINE = 160  # Points of a line, at most.


def curves(histories: Sequence[Mapping], of: str) -> list[str]:
    """A panel per quantity of a model's trainings: training dashed, validation solid.

    of: the model, for the panels' names.
    """
    found = []
    by = "epoch" if all("epoch" in p for h in histories for p in h["curve"]) else "step"
    for quantity, title in QUANTITIES.items():
        series = [
            Series(name, points, style, faint=len(histories) > 1)
            for key, name, style in ((f"val_{quantity}", "validation", 0),
                                     (f"train_{quantity}", "training", 1))
            for history in histories
            if (points := points_of(history, by, key))
        ]  # fmt: skip
        if series:
            told = f"{of}: {title} by {by}"
            found.append(charts.lines(series, told, by, title))
    return found


def points_of(history: Mapping, by: str, key: str) -> list[tuple[float, float]]:
    """(epoch or step, value) of a training, thinned to FINE points with its last one."""
    known = [(point[by], point[key]) for point in history["curve"] if point.get(key) is not None]
    return known[:: -(-len(known) // FINE) or 1][:-1] + known[-1:]


def by_compute(histories: Iterable[Mapping], of: str) -> str:
    """The validation of several models on one axis of training FLOPs; an empty text if fewer than
    two have any. Of each model the first training that measured it."""
    first: dict[str, Mapping] = {}
    for history in histories:
        if history.get("train_flops") and any("val_loss" in p for p in history["curve"]):
            first.setdefault(trained_label(history), history)
    for quantity in ("accuracy", "exact_match", "loss"):
        series = []
        for name, history in first.items():
            by = "epoch" if "epoch" in history["curve"][-1] else "step"
            points = points_of(history, by, f"val_{quantity}")
            if points and points[-1][0]:
                each = history["train_flops"] / history["curve"][-1][by]
                scaled = [(at * each, value) for at, value in points if at > 0]
                series.append(Series(name, scaled, len(series)))
        if len(series) > 1:
            title = QUANTITIES[quantity]
            told = f"{of}: validation {title} by training compute"
            axis = "training FLOPs (logarithmic)"
            return charts.lines(series, told, axis, f"validation {title}", "", True, flops)
    return ""


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


def point(row: Mapping, inputs: bool = False, run: bool = False) -> Point:
    """A row of the leaderboard as a point."""
    kind = "theirs" if row["source"] != OURS else "ours" if ordinary(row) else "aside"
    name = label(row, inputs) + (f", {row['run']}" if run and row["run"] else "")
    text = number(row["metric"], row["value"])
    return Point(name, row["value"], text, row["ci_low"], row["ci_high"], kind)


def beside_published(rows: Iterable[dict], metric: str, most: int, of: str) -> str:
    """The results of a data set under a metric, the best on top; empty if there is only one."""
    group = next((g for g in panels(rows) if g[0]["metric"] == metric), [])
    group = keep(group, most)
    if len(group) < 2:
        return ""
    several = len({row["run"] for row in group} - {None}) > 1
    points = [point(row, several_inputs(group), several) for row in group]
    better = "more is better" if METRICS[metric].more_is_better else "less is better"
    axis = f"{METRICS[metric].title}, {SPLITS[group[0]['split']]} ({better})"
    return charts.intervals(points, f"{of}: beside published results", axis)


def verdict(entry: Mapping) -> str:
    """A row of the summary on one short line: our value and interval, the best published."""
    best, other = entry["best"], entry["published"]
    points = [point(best)]
    if other:
        points.append(Point(other["model"], other["value"], str(other["value"]), kind="theirs"))
    return charts.strip(points, f"{best['dataset']}: ours beside the best published")


def grid(selection: Mapping, of: str) -> str:
    """A cross-validated grid: accuracy by learning rate, a line per batch size and dropout."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for one in sorted(selection["candidates"], key=lambda c: (c["batch_size"], c["dropout"])):
        if one["mean"] is not None:
            name = f"batch {one['batch_size']}, dropout {one['dropout']:g}"
            lines.setdefault(name, []).append((one["lr"], one["mean"]))
    series = [Series(name, sorted(line), at) for at, (name, line) in enumerate(lines.items())]
    told = f"{of}: cross-validated accuracy of the grid"
    return charts.lines(series, told, "learning rate", "mean validation accuracy", "", True)


def race_of(rungs: Sequence[Mapping], of: str) -> str:
    """A search by successive halving: a line per candidate, the winner's dashed as its name says.

    Candidates below the lower quartile of the first rung are drawn at it.
    """
    winner, last = rungs[-1]["leader"], len(rungs)
    routes = race.paths(rungs)
    floor = float(np.quantile([route[0][1] for route in routes.values()], 0.25))
    series = []
    for name, route in sorted(routes.items(), key=lambda item: (item[0] == winner, len(item[1]))):
        told, style = ("out before the last rung", 4) if len(route) < last else ("last rung", 0)
        told, style = (f"winner: {name}", 1) if name == winner else (told, style)
        points = [(epochs, max(accuracy, floor)) for epochs, accuracy in route]
        series.append(Series(told, points, style, faint=name != winner))
    told = f"{of}: successive halving"
    axis = "epochs of the rung (logarithmic)"
    return charts.lines(series, told, axis, "validation accuracy", "", True)


def twins(found: Mapping, of: str) -> list[str]:
    """The losses of a twins.json, by hand and by autograd, and how far they are apart."""
    pair = found["float32"]
    both = [
        Series(name, [*enumerate(pair[key], 1)], style)
        for key, name, style in (("numpy", "NumPy, by hand", 0), ("torch", "PyTorch", 1))
    ]
    apart = []
    for style, dtype in enumerate(("float32", "float64")):
        values = np.abs(np.subtract(found[dtype]["numpy"], found[dtype]["torch"]))
        points = [(step, float(value)) for step, value in enumerate(values, 1) if value > 0]
        if points:  # Where both are the same number, the logarithm has no place for it.
            most = f"{dtype}: at most {found[dtype]['largest_difference']:.1g}"
            apart.append(Series(most, points, style))
    drawn = [charts.lines(both, f"{of}: losses by hand and by autograd", "step", "loss (nats)")]
    if apart:
        told = f"{of}: difference of the losses"
        drawn.append(charts.lines(apart, told, "step", "difference (nats)"))
    return drawn


def told(rungs: Sequence[Mapping]) -> str:
    """A search in words: 81 candidates × 3 epochs, 27 × 9, 9 × 27."""
    return ", ".join(
        f"{counted(len(rung['candidates']), 'candidate')} × {counted(rung['epochs'], 'epoch')}"
        for rung in rungs
    )
