"""The summary: per data set the row of ours that validation chose, and the best published one."""

from collections.abc import Iterable, Mapping

from reporting.leaderboard import METRICS, OURS, SPLITS, order, ordinary
from reporting.report import shown

# Which metric speaks for a data set: the first that there is.
PRIMARY = ("mcc", "accuracy", "exact_match", "bits_per_byte", "nats_per_token")


def chosen(candidates: list[dict], ours: Iterable[dict]) -> tuple[dict, str | None]:
    """The candidate whose validation value is best, and the split that chose it, val or else cv.

    candidates: rows of one data set, metric and split; ours: its rows that may be chosen. A test
    value chooses nothing: a candidate without a validation value loses to any that has one, and
    where none has one (split None) the one that took most compute to train is taken.
    """

    def name(row: Mapping) -> tuple:
        keys = ("run", "model", "inputs", "views", "implementation", "metric")
        return tuple(row[key] for key in keys)

    names = {name(row): row for row in candidates}
    for split in ("val", "cv"):
        if same := [row for row in ours if row["split"] == split and name(row) in names]:
            return names[name(min(same, key=order))], split
    return min(candidates, key=lambda row: (-(row["train_flops"] or 0), name(row))), None


def best_published(row: Mapping, references: Iterable[dict]) -> dict | None:
    """The best comparable published result of the data set, metric and split of `row`, if any."""
    wanted = {key: row[key] for key in ("dataset", "metric", "split")} | {"comparable": True}
    sign = -1 if METRICS[row["metric"]].more_is_better else 1
    same = (result for result in references if wanted.items() <= result.items())
    return min(same, key=lambda result: sign * result["value"], default=None)


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
        published = [r for r in references if r["comparable"] and r["dataset"] == dataset]
        if not (speaks := metric_and_split(ours, published)):
            continue
        candidates = [r for r in ours if (r["metric"], r["split"]) == speaks]
        best, chosen_by = chosen(candidates, ours)
        other = best_published(best, published) if ordinary(best) else None
        entry = {"dataset": dataset, "best": shown(best), "chosen_by": chosen_by}
        entry |= {"among": len(candidates), "published": other and compared(best, other)}
        found.append(entry)
    return found


def metric_and_split(ours: list[dict], published: list[dict]) -> tuple[str, str] | None:
    """What speaks for a data set: the first of PRIMARY and SPLITS for which there is a comparable
    published result, or else the first that we have at all. None without any that can."""
    have, other = ({(row["metric"], row["split"]) for row in some} for some in (ours, published))
    choices = [(metric, split) for split in SPLITS for metric in PRIMARY]
    return next((one for pool in (have & other, have) for one in choices if one in pool), None)


def compared(ours: Mapping, published: Mapping) -> dict:
    """The published result with the texts that set it beside our row.

    Where ours stands: ahead, behind, or undecided if its interval holds the other's value.
    """
    metric, value = METRICS[ours["metric"]], published["value"]
    difference = ours["value"] - value
    gain = difference if metric.more_is_better else -difference
    standing = "ahead" if gain >= 0 else "behind"
    if ours["ci_low"] is not None and ours["ci_low"] <= value <= ours["ci_high"]:
        standing = "within our interval"
    return {**published, "difference": f"{difference:+.{metric.digits}f}", "standing": standing}


def claims(references: list[dict], datasets: Mapping[str, dict]) -> list[dict]:
    """Published figures without data set or split, for the tasks that run on public data here."""
    real = {
        name
        for name, about in datasets.items()
        if not about["stands_in_for"] and not name.startswith("own/")
    }
    tasks = {datasets[name]["task"] for name in real}
    return [
        result
        for result in references
        if (result["task"] in tasks and result["dataset"] is None)
        or (result["dataset"] in real and result["split"] is None)
    ]
