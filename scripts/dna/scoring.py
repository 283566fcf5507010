"""Rows of the leaderboard from class probabilities, and the curves that a report draws.

Rows of the subset "not in train" leave out the test sequences that are in train or val too.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dna.sequences import as_trained, known_rows
from pipeline.classification_metrics import accuracy, matthews
from pipeline.probability_metrics import (
    average_precision,
    calibration_error,
    over_classes,
    precision_recall,
    reliability,
    roc_auc,
    roc_curve,
)
from pipeline.results import interval, proportion_interval, row

# What a curve's file has of a curve: more points are not seen.
POINTS = 200


def unseen_rows(x: Mapping[str, np.ndarray], both_strands: bool) -> np.ndarray:
    """Bool (N,): which test rows are in no other split of x (N, L), as a training sees them: where
    it reads both strands, also as their reverse complement."""
    alike = {split: as_trained(tokens, both_strands) for split, tokens in x.items()}
    return ~known_rows(alike["test"], np.concatenate([alike["train"], alike["val"]]))


def score(label: np.ndarray, probabilities: Sequence[np.ndarray], **about) -> list[dict]:
    """A row for each metric, with one value for each of the probabilities (N, K), N > 0.

    MCC x 100 and accuracy have intervals; the others measure the probabilities. There is no row for
    a metric that these labels do not give (see not_measured).
    """
    answers = [p.argmax(axis=1) for p in probabilities]  # (N,) each

    def mean_mcc(label: np.ndarray, *answers: np.ndarray) -> float:
        return float(np.mean([matthews(label, answer) for answer in answers]))

    intervals = {
        "mcc": interval(mean_mcc, label, *answers),
        "accuracy": proportion_interval(np.stack(answers) == label),
    }
    found = {
        "mcc": [matthews(label, answer) for answer in answers],
        "accuracy": [accuracy(label, answer) for answer in answers],
        "roc_auc": [over_classes(roc_auc, label, p) for p in probabilities],
        "average_precision": [over_classes(average_precision, label, p) for p in probabilities],
        "calibration_error": [calibration_error(label, p) for p in probabilities],
    }
    return [
        row(metric=name, values=values, ci=intervals.get(name), **about)
        for name, values in found.items()
        if all(map(math.isfinite, values))
    ]


def parts(label: Mapping[str, np.ndarray], unseen: np.ndarray) -> dict[tuple, np.ndarray]:
    """(split, subset) -> which of its rows count, bool (N,); unseen: see unseen_rows."""
    found = {(split, "all"): np.ones(len(label[split]), bool) for split in ("val", "test")}
    return found if unseen.all() else {**found, ("test", "not in train"): unseen}


def not_measured(label: Mapping[str, np.ndarray], unseen: np.ndarray) -> list[str]:
    """A line for each part of the data that does not give every metric."""
    lines = []
    for (split, subset), counted in parts(label, unseen).items():
        classes = np.unique(label[split][counted])
        if len(classes) < 2:
            what = f"{counted.sum()} row(s), all of one class: no MCC"
            lines.append(f"{split}, {subset}: {what if len(classes) else 'no rows: no metric'}")
    return lines


def rows_of(
    label: Mapping[str, np.ndarray],
    probabilities: Mapping[str, Sequence[np.ndarray]],
    unseen: np.ndarray,
    **about,
) -> list[dict]:
    """Rows of val and test, each a mean over the models.

    label (N,) and each model's probabilities (N, K) of val and test; unseen: see unseen_rows.
    """
    about |= {"task": "dna_classification", "inputs": "nucleotides"}
    rows = []
    for (split, subset), counted in parts(label, unseen).items():
        if counted.any():
            found = [p[counted] for p in probabilities[split]]
            rows += score(label[split][counted], found, split=split, subset=subset, **about)
    return rows


def told(rows: Sequence[dict]) -> str:
    """A line for each row, for the log."""
    keys = ("model", "split", "subset", "members", "views")
    return "\n".join(
        f"{', '.join(f'{key} {line[key]}' for key in keys)}: {line['metric']} {line['value']:.4f}"
        for line in rows
    )


def curves(label: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> dict:
    """Points of the curves of one answer on a split, label (N,), probabilities (N, K).

    roc, precision_recall: for each class (of two classes: the second alone) the points of the
    curve, at most POINTS of them, and the area under it; null where the split lacks the class, or
    has no other. reliability: for each bin of confidence that is not empty its mean confidence,
    accuracy and number of examples; and the calibration error.
    """
    found: dict = {"roc": [], "precision_recall": []}
    for k in [1] if len(classes) == 2 else range(len(classes)):
        positive, chance = label == k, probabilities[:, k]
        false, true = roc_curve(positive, chance)
        area = roc_auc(positive, chance)
        about = {"class": classes[k]}
        found["roc"].append(
            {**about, "auc": _number(area), "false": _thinned(false), "true": _thinned(true)}
        )
        recall, precision = precision_recall(positive, chance)
        mean = _number(average_precision(positive, chance))
        points = {"recall": _thinned(recall), "precision": _thinned(precision)}
        share = float(positive.mean())
        found["precision_recall"].append(
            {**about, "share": share, "average_precision": mean, **points}
        )
    confidence, right, count = reliability(label, probabilities)
    filled = count > 0
    found["reliability"] = {
        "calibration_error": _number(calibration_error(label, probabilities)),
        "confidence": confidence[filled].round(6).tolist(),
        "accuracy": right[filled].round(6).tolist(),
        "examples": count[filled].tolist(),
    }
    return found


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None


def _thinned(values: np.ndarray) -> list[float] | None:
    """At most POINTS of the points of a curve, evenly taken, both ends among them."""
    if not np.isfinite(values).all():
        return None
    chosen = np.unique(np.linspace(0, len(values) - 1, POINTS).round().astype(int))
    return values[chosen].round(6).tolist()
