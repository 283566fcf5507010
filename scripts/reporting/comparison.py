"""Which differences between the rows of two runs are real: for the report and for `nn compare`.

The 95 % interval of the difference is +- 1.96 sqrt(s^2 + std_A^2 / n_A + std_B^2 / n_B): s is what
the finite split adds, the rest what n seeds of deviation std add. Where the answers of both models
to the same examples are there, s is that of the paired difference (a bootstrap over examples; of
several seeds, the first ones' answers); else it comes from the intervals of both values, as if they
were of different examples, which is too wide.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from pipeline.classification_metrics import accuracy, matthews
from pipeline.results import interval
from reporting.formats import label
from reporting.leaderboard import METRICS, OURS, SPLITS, ordinary

Z = 1.96  # deviations of a normal distribution in a half of its 95 %
PAIRED: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "exact_match": accuracy,
    "mcc": matthews,
}


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


def earlier(rows: Iterable[Mapping], kept: Iterable[Mapping]) -> list[dict]:
    """The comparisons of this run's rows with those of `kept` of the same run's name and model.

    Each on the first of the splits (test, val, cv) that both have, with the commit of the kept row.
    """

    def name(row: Mapping) -> tuple:
        return (row["run"], row["model"], row["inputs"], row["implementation"], *key(row))

    before = {(name(row), row["split"]): row for row in kept if row["source"] == OURS}
    now = {(name(row), row["split"]): row for row in rows if row["source"] == OURS}
    found = []
    for group in dict.fromkeys(group for group, _ in now):
        both = [(group, split) for split in SPLITS if (group, split) in now.keys() & before.keys()]
        if both:
            old, new = before[both[0]], now[both[0]]
            found.append(compared(old, new, None) | {"commits": [old["commit"], new["commit"]]})
    return found
