"""A chapter of the report per model: its rows, trainings, texts and figures, by their folders.

A chapter is the folder of a metrics.json, such as mlp/plain; what lies below it belongs to it. A
metrics.json inside another chapter's folder, without a training of its own, joins that chapter.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from pipeline.results import COLUMNS
from reporting import splits
from reporting.headline import PRIMARY
from reporting.leaderboard import METRICS, OURS, SPLITS, ordinary
from reporting.report import shown, trainings

# A key that only files of this kind have -> what a room calls them. Rungs have candidates too.
KINDS = {"rung": "searches", "rows": "metrics", "curve": "histories", "candidates": "selections"}
KINDS |= {"samples": "samples", "float32": "twins", "motifs": "motifs", "roc": "curves"}
KINDS |= {"predict": "own", "tried": "choices"}


def kind_of(record: Mapping) -> str:
    return next(kind for key, kind in KINDS.items() if key in record)


def anchor(*names: str) -> str:
    """An id of letters, digits, - and _."""
    return re.sub(r"[^\w]+", "-", "-".join(names)).strip("-").lower()


def inside(folder: str, chapter: str) -> bool:
    return f"{folder}/".startswith(f"{chapter}/")


def folders(records: Iterable[tuple[str, Mapping]]) -> list[str]:
    """The folders of chapters, in the order of their metrics."""
    records = list(records)
    rated = list(dict.fromkeys(f for f, record in records if kind_of(record) == "metrics"))
    trained = [folder for folder, record in records if kind_of(record) == "histories"]

    def joins(folder: str) -> bool:
        within = any(inside(folder, other) and folder != other for other in rated)
        return within and not any(inside(one, folder) for one in trained)

    return [folder for folder in rated if not joins(folder)]


def chapters(
    room: Mapping, records: Sequence[tuple[str, Mapping]], figures: Iterable[Mapping]
) -> list[dict]:
    """The chapters of a room.

    room: its name and run. records: (folder, content) of its files; figures: with folder and kind.
    """
    names = folders(records)

    def place(folder: str) -> str | None:
        """The deepest chapter that the folder lies in."""
        return max((name for name in names if inside(folder, name)), key=len, default=None)

    found = []
    for name in names:
        own = [record for folder, record in records if place(folder) == name]
        by = {k: [one for one in own if kind_of(one) == k] for k in KINDS.values()}
        # As in the leaderboard, with the run that the evaluation does not know.
        added = {"run": room["run"], "source": OURS}
        rows = [
            dict.fromkeys(COLUMNS) | row | added for one in by["metrics"] for row in one["rows"]
        ]
        if not rows:
            continue
        trained = {one["model"] for one in by["histories"]}
        best = lead(rows, trained)
        told = {
            "id": anchor("model", name, *room["name"].partition("@")[2:]),
            "folder": name,
            "rows": rows,
        }
        told |= {"best": shown(best), "model": best["model"], "dataset": best["dataset"]}
        told |= {
            "lines": in_order(splits.lines(rows), best, trained),
            "trainings": trainings(by["histories"]),
        }
        told |= {"cost": cost(best, by["histories"]), **by}
        told["figures"] = [figure for figure in figures if place(figure["folder"]) == name]
        found.append(told)
    return found


def in_order(lines: Iterable[splits.Line], best: Mapping, trained: set[str]) -> list[splits.Line]:
    """The lines of a chapter, those of the `best` row's model first, by the metrics of PRIMARY; of
    a baseline, which is not trained in it, only those of the metric that speaks."""

    def rank(line: splits.Line) -> tuple:
        first = PRIMARY.index(line.metric) if line.metric in PRIMARY else len(PRIMARY)
        return line.model != best["model"], first

    lines = sorted(lines, key=rank)
    spoken = {best["metric"]} if trained else set(METRICS)
    return [one for one in lines if one.model in trained or one.metric in spoken]


def lead(rows: Sequence[dict], trained: set[str]) -> dict:
    """The row that speaks for a chapter: of a model that is trained in it, not of a baseline; of
    one net and the whole split, by the first metric of PRIMARY and split of SPLITS that there is.
    """

    def rank(row: Mapping) -> tuple:
        metric, split = (
            names.index(row[key]) if row[key] in names else len(names)
            for key, names in (("metric", PRIMARY), ("split", list(SPLITS)))
        )
        aside = bool(trained) and row["model"] not in trained
        return (
            aside,
            row["subset"] != "all",
            row["members"] != "1",
            split,
            metric,
            not ordinary(row),
        )

    return min(rows, key=rank)


def cost(best: Mapping, histories: Sequence[Mapping]) -> dict:
    """What a training took: weights, seconds, FLOPs, FLOP/s on so many threads of a processor."""
    found = {key: best[key] for key in ("parameters", "train_seconds", "train_flops", "threads")}
    made = histories[0]["provenance"] if histories else {}
    found["processor"] = made.get("processor")
    # What a benchmark of its peak must have run on, too: a name alone hides wider instructions.
    found["machine"] = f"{made.get('processor')}, {made.get('kernels')}"
    own = [one for one in histories if one["seconds"] and one.get("train_flops")]
    rate = fmean(one["train_flops"] / one["seconds"] for one in own) if own else None
    return found | {"rate": rate}
