"""The pieces of the report's page, made of the leaderboard and the rooms' files.

Plain dictionaries and lists for the template; nothing here knows HTML.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from reporting.formats import flops, label, seconds, trained_label, weights
from reporting.leaderboard import METRICS, OURS, number

# Beside every table with FLOPs.
COUNTED = (
    "Training FLOPs are 3 x the forward FLOPs of matrix products and convolutions (attention as the"
    " full T x T matrix) x the examples seen; for ensembles, the sum over all members."
)


def shown(row: Mapping) -> dict:
    """A row of the leaderboard as texts, beside the plain numbers that its columns sort by."""
    names = ("value", "std", "ci_low", "ci_high")
    value, std, low, high = (number(row["metric"], row[name]) for name in names)
    return {
        **row,
        "ours": row["source"] == OURS,
        "source_short": short(row["source"]),
        "label": label(row),
        "metric_title": METRICS[row["metric"]].title,
        "value_text": value,
        "std_text": std,
        "ci_text": f"{low} – {high}" if low else "",
        "parameters_text": weights(row["parameters"]),
        "seconds_text": seconds(row["train_seconds"]),
        "flops_text": flops(row["train_flops"]),
    }


def short(citation: str) -> str:
    """Authors and year of `Authors (year, more), where it was published`."""
    return citation.split("), ")[0] + ")" * ("), " in citation)


def trainings(histories: Iterable[dict]) -> list[dict]:
    """Per data set and model the first training, with all seeds, mean seconds, its last losses.

    Trainings without a fold have a line of their own: only they have a validation loss if the final
    ones see every training example.
    """
    groups: dict[tuple, list[dict]] = {}
    for history in histories:
        by = "seed" if history.get("fold") is None else "fold"
        groups.setdefault((history["dataset"], trained_label(history), by), []).append(history)
    found = []
    for (_, model, by), group in groups.items():
        group.sort(key=lambda history: history[by])
        numbers = ", ".join(str(history[by]) for history in group)
        line = {"model": model, "trainings": f"{by}{'s' * (len(group) > 1)} {numbers}"}
        line["seconds"] = fmean(history["seconds"] for history in group)
        line["last"] = {name: value for point in group[0]["curve"] for name, value in point.items()}
        found.append(group[0] | line)
    return found


def provenance(rows: Iterable[dict], histories: Iterable[dict]) -> dict[str, list]:
    """The distinct commits, machines and versions behind a run's numbers, each list sorted."""
    ours = [row for row in rows if row["source"] == OURS]
    made = [history["provenance"] for history in histories]
    names = ("commit", "config_sha256", "device", "threads")
    sets = {name: {row[name] for row in ours} for name in names}
    sets["kernels"] = {row["kernels"] for row in ours} - {None}
    sets["processors"] = {f"{one['processor']} ({one['cores']} cores)" for one in made}
    versions = (pair for one in made for pair in one["versions"].items())
    sets["versions"] = {f"{name} {version}" for name, version in versions}
    return {name: sorted(found) for name, found in sets.items()}


def search(selection: dict) -> dict:
    """A cross-validated search, best candidate first; those that diverged are last."""
    candidates = sorted(
        selection["candidates"], key=lambda c: -1 if c["mean"] is None else c["mean"], reverse=True
    )
    chosen = {key: selection["selected"][key] for key in ("lr", "batch_size", "dropout")}
    selected = next(c for c in candidates if chosen.items() <= c.items())
    return selection | {"candidates": candidates, "selected": selected}


def way(note: str) -> str:
    """A note without settings as Python prints them: `top_k=None` is left out."""
    note = re.sub(r",? ?\b\w+=None\b", "", note)
    note = re.sub(r"\b(temperature|top_[kp])=", lambda m: m[1].replace("_", "-") + " ", note)
    return note.replace("accepted_share", "accepted share")


def notes(records: Sequence[dict]) -> list[tuple[str, object, list[str]]]:
    """(key, value, models) of what the evaluations note, the same thing said once.

    models: whose evaluations say it, empty where all of the room's do.
    """
    said: dict[str, tuple[str, object, list[str]]] = {}
    for record in records:
        for key, value in record["notes"].items():
            _, _, models = said.setdefault(repr((key, value)), (key, value, []))
            models.append(record["rows"][0]["model"])
    return [(*same, [] if len(who) == len(records) else who) for *same, who in said.values()]
