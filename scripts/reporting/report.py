"""What the report says: the pieces of the page, made of the leaderboard and the rooms' files.

Plain dictionaries and lists for the template; nothing here knows HTML.
"""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import InputError
from reporting.leaderboard import METRICS, OURS, number, order, ordinary

# Which metric speaks for a data set, and which split for a metric: the first that there is.
PRIMARY = ("mcc", "accuracy", "exact_match", "bits_per_byte", "nats_per_token")
SPLITS = ("test", "val", "cv")


def data_uri(path: Path) -> str:
    """An SVG as a data URI. As an image it brings no ids, styles or scripts into the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def seconds(value: float | None) -> str:
    """Seconds as people read them: 4.2 s, 3 min 20 s, 2 h 5 min."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def weights(count: int | None) -> str:
    """A number of weights with three digits: 7.85 k, 536 k, 10.6 M, 2.50 G."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count and count >= size:
            value = count / size
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return str(count) if count else ""


def shown(row: Mapping) -> dict:
    """A row of the leaderboard as texts, beside the plain numbers that its columns sort by."""
    metric = row["metric"]
    interval = row["ci_low"] is not None
    return {
        **row,
        "ours": row["source"] == OURS,
        "source_short": row["source"].split("), ")[0] + ")" * ("), " in row["source"]),
        "metric_title": METRICS[metric].title,
        "value_text": number(metric, row["value"]),
        "std_text": number(metric, row["std"]),
        "ci_text": f"{number(metric, row['ci_low'])} – {number(metric, row['ci_high'])}"
        if interval
        else "",
        "parameters_text": weights(row["parameters"]),
        "seconds_text": seconds(row["train_seconds"]),
    }


def chosen(candidates: list[dict], ours: Iterable[dict]) -> tuple[dict, str | None]:
    """The candidate whose validation value is best, and the split that chose it, val or else cv.

    candidates: ordinary rows of one data set, metric and split; ours: all of its rows. A test value
    chooses nothing: a candidate without validation value loses to any that has one, and where none
    has one (split None) the first by name stands.
    """
    key = ("model", "implementation", "metric")
    names = {tuple(row[k] for k in key): row for row in candidates}
    for split in ("val", "cv"):
        same = [r for r in ours if r["split"] == split and tuple(r[k] for k in key) in names]
        if same:
            best = min(same, key=order)
            return names[tuple(best[k] for k in key)], split
    return names[min(names)], None


def best_published(row: Mapping, references: Iterable[dict]) -> dict | None:
    """The best comparable published result of the data set, metric and split of `row`, if any."""
    key = ("dataset", "metric", "split")
    same = [r for r in references if r["comparable"] and all(r[k] == row[k] for k in key)]
    sign = -1 if METRICS[row["metric"]].more_is_better else 1
    return min(same, key=lambda r: sign * r["value"], default=None)


def headline(rows: list[dict], references: list[dict], datasets: Iterable[str]) -> list[dict]:
    """A data set's row of ours that validation chose beside the best comparable published one.

    The metric is the first of PRIMARY for which there are published results of one of our splits,
    or else the first that we have at all. Only ordinary rows take part.
    """
    found = []
    for dataset in datasets:
        ours = [r for r in rows if r["dataset"] == dataset and r["source"] == OURS and ordinary(r)]
        both = {(r["metric"], r["split"]) for r in ours}
        compared = both & {
            (r["metric"], r["split"])
            for r in references
            if r["dataset"] == dataset and r["comparable"]
        }
        choices = [(m, s) for pool in (compared, both) for s in SPLITS for m in PRIMARY
                   if (m, s) in pool]  # fmt: skip
        if not choices:
            continue
        metric, split = choices[0]
        candidates = [r for r in ours if (r["metric"], r["split"]) == (metric, split)]
        best, chosen_by = chosen(candidates, ours)
        entry = {"dataset": dataset, "best": shown(best), "published": None}
        entry |= {"chosen_by": chosen_by, "among": len(candidates)}
        other = best_published(best, references)
        if other:
            sign = -1 if METRICS[metric].more_is_better else 1
            ahead = sign * (other["value"] - best["value"])
            entry["published"] = {
                **other,
                "value_text": number(metric, other["value"]),
                "difference": f"{best['value'] - other['value']:+.{METRICS[metric].digits}f}",
                "standing": standing(best, other, ahead),
            }
        found.append(entry)
    return found


def standing(ours: Mapping, published: Mapping, ahead: float) -> str:
    """Where our row stands: ahead, behind, or undecided if its interval holds the other's value."""
    low, high = ours["ci_low"], ours["ci_high"]
    if low is not None and high is not None and low <= published["value"] <= high:
        return "within our interval"
    return "ahead" if ahead >= 0 else "behind"


def claims(references: list[dict], datasets: Mapping[str, dict]) -> list[dict]:
    """Published figures without data set or split, for the tasks that run on real data here."""
    real = {name for name, about in datasets.items() if not about["stands_in_for"]}
    tasks = {datasets[name]["task"] for name in real}
    kept = []
    for result in references:
        known = result["dataset"] in real if result["dataset"] else result["task"] in tasks
        if known and (result["dataset"] is None or result["split"] is None):
            kept.append({**result, "value_text": number(result["metric"], result["value"])})
    return kept


def trainings(histories: Iterable[dict]) -> list[dict]:
    """A line a data set and model: seeds, steps, seconds, last losses of the first training.

    Trainings on all folds but one have a line of their own: they alone have a validation loss if
    the final ones see every training example.
    """
    groups: dict[tuple, list[dict]] = {}
    for history in histories:
        crossed = history.get("fold") is not None
        groups.setdefault((history["dataset"], history["model"], crossed), []).append(history)
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
