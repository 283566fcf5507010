"""The pieces of the report's page, made of the leaderboard and the rooms' files.

Plain dictionaries and lists for the template; nothing here knows HTML.
"""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import InputError
from reporting.formats import flops, label, seconds, trained_label, weights
from reporting.leaderboard import METRICS, OURS, number

# Beside every table with FLOPs.
COUNTED = (
    "Training FLOPs are 3 x the forward FLOPs of matrix products and convolutions (attention as the"
    " full T x T matrix) x the examples seen; for ensembles, the sum over all members."
)


def data_uri(path: Path) -> str:
    """An SVG as a data URI. As an image it brings no ids, styles or scripts into the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def shown(row: Mapping) -> dict:
    """A row of the leaderboard as texts, beside the plain numbers that its columns sort by."""
    metric = row["metric"]
    interval = row["ci_low"] is not None
    return {
        **row,
        "ours": row["source"] == OURS,
        "source_short": row["source"].split("), ")[0] + ")" * ("), " in row["source"]),
        "label": label(row),
        "metric_title": METRICS[metric].title,
        "value_text": number(metric, row["value"]),
        "std_text": number(metric, row["std"]),
        "ci_text": f"{number(metric, row['ci_low'])} – {number(metric, row['ci_high'])}"
        if interval
        else "",
        "parameters_text": weights(row["parameters"]),
        "seconds_text": seconds(row["train_seconds"]),
        "flops_text": flops(row["train_flops"]),
    }


def trainings(histories: Iterable[dict]) -> list[dict]:
    """A line per data set and model: seeds, steps, cost, last losses of the first training.

    Trainings without a fold have a line of their own: only they have a validation loss if the final
    ones see every training example.
    """
    groups: dict[tuple, list[dict]] = {}
    for history in histories:
        crossed = history.get("fold") is not None
        key = (history["dataset"], trained_label(history), crossed)
        groups.setdefault(key, []).append(history)
    found = []
    for (dataset, model, crossed), group in groups.items():
        by = "fold" if crossed else "seed"
        group = sorted(group, key=lambda history: history[by])
        last = {key: value for point in group[0]["curve"] for key, value in point.items()}
        spent = [history["seconds"] for history in group]
        numbers = ", ".join(str(history[by]) for history in group)
        found.append(
            {
                "dataset": dataset,
                "model": model,
                "trainings": f"{by}{'s' if len(group) > 1 else ''} {numbers}",
                "steps": last.get("step"),
                "epochs": last.get("epoch"),
                "seconds": seconds(sum(spent) / len(spent)),
                "flops": flops(group[0]["train_flops"]),
                "parameters": weights(group[0]["parameters"]),
                "train_loss": _digits(last.get("train_loss")),
                "val_loss": _digits(last.get("val_loss")),
                "threads": group[0]["provenance"]["threads"],
                "device": group[0]["provenance"]["device"],
            }
        )
    return found


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def provenance(rows: Iterable[dict], histories: Iterable[dict]) -> dict[str, list[str]]:
    """The distinct commits, machines and versions behind a run's numbers, each list sorted."""
    ours = [row for row in rows if row["source"] == OURS]
    made = [history["provenance"] for history in histories]
    versions = {f"{name} {version}" for one in made for name, version in one["versions"].items()}
    sets = {
        "commits": {row["commit"] for row in ours},
        "configurations": {row["config_sha256"] for row in ours},
        "processors": {f"{one['processor']} ({one['cores']} cores)" for one in made},
        "devices": {row["device"] for row in ours},
        "threads": {str(row["threads"]) for row in ours},
        "versions": versions,
    }
    return {name: sorted(found) for name, found in sets.items()}


def search(selection: dict) -> dict:
    """A cross-validated search, best candidate first."""
    key = ("lr", "batch_size", "dropout")
    chosen = [selection["selected"][name] for name in key]
    ranked = sorted(
        selection["candidates"],
        key=lambda c: -1.0 if c["mean"] is None else c["mean"],
        reverse=True,
    )
    return {
        "dataset": selection["dataset"],
        "folds": max(len(c.get("fold_accuracy", [])) for c in ranked),
        "seconds": seconds(selection.get("seconds")),
        "candidates": [
            {
                **{name: candidate[name] for name in key},
                "mean": "diverged" if candidate["mean"] is None else f"{candidate['mean']:.4f}",
                "std": _digits(candidate.get("std")),
                "selected": [candidate[name] for name in key] == chosen,
            }
            for candidate in ranked
        ],
    }


def kind_of(record: dict, path: Path) -> str:
    """Which of the rooms' files a JSON object is. Raises InputError for any other."""
    for key, kind in (
        ("rung", "searches"),  # It has candidates too.
        ("rows", "metrics"),
        ("curve", "histories"),
        ("candidates", "selections"),
        ("samples", "samples"),
    ):
        if isinstance(record, dict) and key in record:
            return kind
    raise InputError(f"{path}: expected one of rung, rows, curve, candidates or samples in it")
