"""The leaderboard's rows of a DNA classifier: single seeds, their ensemble, unseen test rows."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from dna.sequences import known_rows
from pipeline.classification_metrics import accuracy, matthews
from pipeline.results import interval, proportion_interval, row

METRICS = {"mcc": matthews, "accuracy": accuracy}


def mean_over_seeds(
    metric: Callable[[np.ndarray, np.ndarray], float], label: np.ndarray, *predictions: np.ndarray
) -> float:
    """The mean of `metric` over the seeds' predictions, each (N,)."""
    return float(np.mean([metric(label, prediction) for prediction in predictions]))


def score(label: np.ndarray, predictions: Sequence[np.ndarray], **about) -> list[dict]:
    """A row for each metric, with one value for each of the predictions (N,)."""
    return [
        row(
            metric=name,
            values=[metric(label, prediction) for prediction in predictions],
            ci=proportion_interval(np.stack(predictions) == label)
            if name == "accuracy"
            else interval(partial(mean_over_seeds, metric), label, *predictions),
            **about,
        )
        for name, metric in METRICS.items()
    ]


def classifier_rows(
    title: str,
    x: Mapping[str, np.ndarray],
    label: Mapping[str, np.ndarray],
    probabilities: Mapping[str, Sequence[np.ndarray]],
    histories: Sequence[dict],
    meta: dict,
) -> tuple[list[dict], int]:
    """Rows of dev and test: the mean over seeds, and the ensemble if there are several.

    x: tokens (N, L) of train, dev and test; label (N,) and each seed's probabilities (N, K) of dev
    and test; histories: one a seed. Where test rows also stand in train or dev, further rows leave
    them out. Returns the rows and the number of such test rows.
    """
    seeds = len(histories)
    seconds = [history["seconds"] for history in histories]
    parameters = histories[0]["parameters"]
    mean = {split: [np.mean(found, axis=0)] for split, found in probabilities.items()}
    kinds = [(title, parameters, float(np.mean(seconds)), probabilities)]
    if seeds > 1:
        name = f"{title}, ensemble of {seeds} seeds"
        kinds.append((name, parameters * seeds, float(np.sum(seconds)), mean))
    unseen = ~known_rows(x["test"], np.concatenate([x["train"], x["dev"]]))
    everything = {split: np.ones(len(label[split]), bool) for split in ("dev", "test")}
    parts = [("dev", "val", everything["dev"], ""), ("test", "test", everything["test"], "")]
    if not unseen.all():
        parts.append(("test", "test", unseen, " (test rows not in train or dev)"))
    rows = []
    for split, name, kept, suffix in parts:
        for model, size, time, found in kinds:
            rows += score(
                label[split][kept],
                [p.argmax(axis=1)[kept] for p in found[split]],
                task="dna_classification",
                dataset=meta["dataset"],
                model=model + suffix,
                implementation="torch",
                split=name,
                parameters=size,
                train_seconds=time,
                provenance=histories[0]["provenance"],
                data_sha256=meta["data_sha256"],
            )
    return rows, int((~unseen).sum())
