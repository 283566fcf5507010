"""The summary: per data set the row of ours that validation chose, and the best published one."""

from collections.abc import Iterable, Mapping

from reporting.leaderboard import METRICS, OURS, number, order, ordinary
from reporting.report import shown

# Which metric speaks for a data set, and which split for a metric: the first that there is.
PRIMARY = ("mcc", "accuracy", "exact_match", "bits_per_byte", "nats_per_token")
SPLITS = ("test", "val", "cv")
SAME = ("model", "inputs", "views", "implementation", "metric")


def chosen(candidates: list[dict], ours: Iterable[dict]) -> tuple[dict, str | None]:
    """The candidate whose validation value is best, and the split that chose it, val or else cv.

    candidates: rows of one data set, metric and split; ours: its rows that may be chosen. A test
    value chooses nothing: a candidate without a validation value loses to any that has one, and
    where none has one (split None) the first by name is taken.
    """
    names = {tuple(row[k] for k in SAME): row for row in candidates}
    for split in ("val", "cv"):
        same = [r for r in ours if r["split"] == split and tuple(r[k] for k in SAME) in names]
        if same:
            best = min(same, key=order)
            return names[tuple(best[k] for k in SAME)], split
    return names[min(names)], None


def best_published(row: Mapping, references: Iterable[dict]) -> dict | None:
    """The best comparable published result of the data set, metric and split of `row`, if any."""
    key = ("dataset", "metric", "split")
    same = [r for r in references if r["comparable"] and all(r[k] == row[k] for k in key)]
    sign = -1 if METRICS[row["metric"]].more_is_better else 1
    return min(same, key=lambda r: sign * r["value"], default=None)


def headline(rows: list[dict], references: list[dict], datasets: Iterable[str]) -> list[dict]:
    """Per data set the row of ours that validation chose, and the best comparable published one.

    Only ordinary rows take part; where a data set has none, those of one model that reads several
    views, without a published one.
    """
    found = []
    for dataset in datasets:
        wanted = {"dataset": dataset, "source": OURS, "members": "1", "subset": "all"}
        single = [row for row in rows if wanted.items() <= row.items()]
        ours = [row for row in single if ordinary(row)] or single
        if not (speaks := metric_and_split(ours, [r for r in references if r["comparable"]])):
            continue
        candidates = [r for r in ours if (r["metric"], r["split"]) == speaks]
        best, chosen_by = chosen(candidates, ours)
        other = best_published(best, references) if ordinary(best) else None
        found.append(
            {
                "dataset": dataset,
                "best": shown(best),
                "chosen_by": chosen_by,
                "among": len(candidates),
                "published": compared(best, other) if other else None,
            }
        )
    return found


def metric_and_split(ours: list[dict], comparable: list[dict]) -> tuple[str, str] | None:
    """What speaks for a data set, of whose rows `ours` are; None without any that can.

    The first of PRIMARY and SPLITS for which there is a comparable published result, or else the
    first that we have at all.
    """
    have = {(row["metric"], row["split"]) for row in ours}
    datasets = {row["dataset"] for row in ours}
    both = have & {(r["metric"], r["split"]) for r in comparable if r["dataset"] in datasets}
    choices = [(metric, split) for split in SPLITS for metric in PRIMARY]
    return next((choice for pool in (both, have) for choice in choices if choice in pool), None)


def compared(ours: Mapping, published: Mapping) -> dict:
    """The published result with the texts that set it beside our row."""
    metric, difference = ours["metric"], ours["value"] - published["value"]
    return {
        **published,
        "value_text": number(metric, published["value"]),
        "difference": f"{difference:+.{METRICS[metric].digits}f}",
        "standing": standing(ours, published),
    }


def standing(ours: Mapping, published: Mapping) -> str:
    """Where our row stands: ahead, behind, or undecided if its interval holds the other's value."""
    if ours["ci_low"] is not None and ours["ci_low"] <= published["value"] <= ours["ci_high"]:
        return "within our interval"
    sign = 1 if METRICS[ours["metric"]].more_is_better else -1
    return "ahead" if sign * ours["value"] >= sign * published["value"] else "behind"


def claims(references: list[dict], datasets: Mapping[str, dict]) -> list[dict]:
    """Published figures without data set or split, for the tasks that run on real data here."""
    real = {name for name, about in datasets.items() if not about["stands_in_for"]}
    tasks = {datasets[name]["task"] for name in real}
    return [
        {**result, "value_text": number(result["metric"], result["value"])}
        for result in references
        if (result["dataset"] in real if result["dataset"] else result["task"] in tasks)
        and (result["dataset"] is None or result["split"] is None)
    ]
