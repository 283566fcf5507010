"""`nn compare A B`: which differences between the results of two runs are real.

A model is compared with the one of the same folder in the other run (gpt/tinystories), row by row.
Where both runs have predictions.csv of the same examples, these pair them
(reporting/comparison.py).
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cli.catalogue import REFERENCE, run_folder
from cli.tables import show, show_json
from pipeline.errors import InputError
from reporting import reference
from reporting.comparison import compared, key
from reporting.leaderboard import METRICS, SPLITS, number, read_metrics
from reporting.terminal import Column, Group


class Results(NamedTuple):
    """What a model's folder holds: the rows of metrics.json, and predictions.csv if it is there."""

    rows: list[dict]
    predictions: Path | None


def results_of(run: str) -> dict[str, Results]:
    """Folder of a model -> its results. Raises InputError if the run has none."""
    folder = run_folder(run)
    folders = [folder]
    if run == REFERENCE:  # of a model that several runs have, the first run's
        folders = [folder / one["run"] for one in reference.read(folder)["runs"]]
    found: dict[str, Results] = {}
    for place in folders:
        for path in sorted(place.rglob("metrics.json")):
            predictions = path.with_name("predictions.csv")
            there = Results(read_metrics(path), predictions if predictions.exists() else None)
            found.setdefault(path.parent.relative_to(place).as_posix(), there)
    if not found:
        raise InputError(f"run {run}: no results are in it yet")
    return found


def read_answers(path: Path) -> tuple[list[str], list[str], list[str]]:
    """The columns id, label and prediction of a predictions.csv, as texts."""
    try:
        with path.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened, strict=True))
        ids, labels, predictions = (
            [row[name] for row in rows] for name in ("id", "label", "prediction")
        )
    except (csv.Error, KeyError, UnicodeDecodeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{path}: expected the columns id, label, prediction, found: {found}"
        ) from None
    return ids, labels, predictions


def paired(one: Results, other: Results) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(labels, A's predictions, B's predictions) as numbers (N,), of the same examples; or None."""
    if one.predictions is None or other.predictions is None:
        return None
    first, second = read_answers(one.predictions), read_answers(other.predictions)
    if first[:2] != second[:2] or not first[0]:
        return None
    texts = [*first[1], *first[2], *second[2]]
    _, numbers = np.unique(texts, return_inverse=True)
    labels, ours, theirs = numbers.astype(np.int64).reshape(3, -1)
    return labels, ours, theirs


def compare(first: str, second: str) -> list[dict]:
    """Every comparison of two runs, on the first of the splits (test, val, cv) that both have.

    Raises InputError if no row of one has a counterpart in the other.
    """
    one, other = results_of(first), results_of(second)
    found = []
    for name in (name for name in one if name in other):
        pairs = paired(one[name], other[name])
        theirs = {(*key(row), row["split"]): row for row in other[name].rows}
        ours = {(*key(row), row["split"]): row for row in one[name].rows}
        for group in dict.fromkeys(map(key, one[name].rows)):
            both = [(*group, split) for split in SPLITS]
            both = [place for place in both if place in ours and place in theirs]
            if both:
                row = compared(ours[both[0]], theirs[both[0]], pairs)
                found.append({"model": name, **row})
    if not found:
        raise InputError(f"{first} and {second}: no model of one has a counterpart in the other")
    return found


def name_of(row: Mapping) -> str:
    """What a line is called: the models' label, both where they differ."""
    return " -> ".join(dict.fromkeys(row["models"]))


def main(first: str, second: str, as_json: bool) -> None:
    """Print the comparisons."""
    found = compare(first, second)
    if as_json:
        show_json(found)
        return
    groups: dict[str, list] = {}
    for row in found:
        metric = METRICS[row["metric"]]
        less = "" if metric.more_is_better else ", less is better"
        heading = f"{row['dataset']}: {metric.title} ({SPLITS[row['split']]}{less})"
        bounds = [number(row["metric"], row[name]) for name in ("ci_low", "ci_high")]
        values = [number(row["metric"], value) for value in row["values"]]
        texts = (
            *values,
            ("+" if row["difference"] > 0 else "") + number(row["metric"], row["difference"]),
            " to ".join(bounds) if row["ci_low"] is not None else "",
            row["verdict"],
            row["interval"],
        )
        style = "" if row["verdict"] in ("better", "worse") else "dim"
        groups.setdefault(heading, []).append((name_of(row), texts, style))
    columns = [
        Column(first, 2), Column(second, 1), Column("difference", 0), Column("95 % interval", 4),
        Column("verdict", 3, "left"), Column("interval is", 5, "left"),
    ]  # fmt: skip
    show([Group(heading, lines) for heading, lines in groups.items()], columns)
    print(
        f"\nbetter, worse: {second} beside {first}, and the interval of the difference leaves out 0"
        "\n(of twenty comparisons, one does so by chance). paired: on the same examples."
    )
