"""`nn compare A B`: which differences between the results of two runs are real.

A model is compared with the one of the same folder in the other run (gpt/tinystories), row by row.
The 95 % interval of the difference is +- 1.96 sqrt(s^2 + std_A^2 / n_A + std_B^2 / n_B): s is what
the finite split adds, the rest what n seeds of deviation std add. Where both runs have
predictions.csv of the same examples, s is that of the paired difference (a bootstrap over
examples; of several seeds, the first ones' predictions); else it comes from the intervals of both
values, as if they were of different examples, which is too wide.
"""

import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cli.catalogue import REFERENCE, run_folder
from cli.tables import show, show_json
from pipeline.classification_metrics import accuracy, matthews
from pipeline.errors import InputError
from pipeline.results import interval
from reporting import reference
from reporting.formats import label
from reporting.leaderboard import METRICS, SPLITS, number, ordinary, read_metrics
from reporting.terminal import Column, Group

Z = 1.96  # deviations of a normal distribution in a half of its 95 %
Answers = tuple[list[str], np.ndarray, np.ndarray]  # ids, labels (N,), predictions (N,) as numbers
PAIRED: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "exact_match": accuracy,
    "mcc": matthews,
}


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


def key(row: Mapping) -> tuple:
    """What two rows must have in common to be compared, but for the split."""
    return row["dataset"], row["metric"], row["views"], row["members"] != "1", row["subset"]


def described(row: Mapping, answers: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether predictions (labels, predictions) are those of a row, or of its first seed.

    An evaluation writes one answer of each example: that of one row, whose value it then gives
    exactly, or of the first seed of an ordinary row.
    """
    if row["split"] != "test" or row["subset"] != "all" or row["metric"] not in PAIRED:
        return False
    exact = math.isclose(PAIRED[row["metric"]](*answers), row["value"], abs_tol=1e-9)
    return exact or (ordinary(row) and row["n_seeds"] > 1)


def spread(pairs: tuple | None, one: Mapping, other: Mapping) -> tuple[float | None, str]:
    """(the standard error of the difference that the finite split makes, where it is from)."""
    if pairs and described(one, pairs[:2]) and described(other, (pairs[0], pairs[2])):
        metric = PAIRED[one["metric"]]
        found = interval(lambda y, a, b: metric(y, b) - metric(y, a), *pairs)
        return ((found[1] - found[0]) / (2 * Z) if found else 0.0), "paired"
    if one["ci_low"] is None or other["ci_low"] is None:
        return None, ""
    return math.hypot(
        *((row["ci_high"] - row["ci_low"]) / (2 * Z) for row in (one, other))
    ), "apart"


def compared(one: Mapping, other: Mapping, pairs: tuple | None) -> dict:
    """The difference other - one of two rows, its interval, and what that says."""
    examples, how = spread(pairs, one, other)
    seeds = [row["std"] / math.sqrt(row["n_seeds"]) for row in (one, other) if row["std"]]
    difference, bounds = other["value"] - one["value"], None
    verdict = "no interval"
    if one["data_sha256"] != other["data_sha256"]:
        verdict, how = "other data", ""
    elif examples is not None or len(seeds) == 2:
        half = Z * math.hypot(examples or 0.0, *seeds)
        bounds, how = (difference - half, difference + half), how or "seeds alone"
        better = (difference > 0) == METRICS[one["metric"]].more_is_better
        verdict = "noise" if abs(difference) <= half else "better" if better else "worse"
        verdict = verdict if difference else "equal"
    low, high = bounds or (None, None)
    columns = ("dataset", "metric", "split", "views", "members", "subset")
    return {
        **{name: one[name] for name in columns},
        "models": [label(one), label(other)],
        "values": [one["value"], other["value"]],
        "difference": difference,
        "ci_low": low,
        "ci_high": high,
        "interval": how,
        "verdict": verdict,
    }


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
