"""The leaderboard's rows of a DNA classifier: single seeds, their ensemble, unseen test rows."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.classification_metrics import accuracy, matthews
from pipeline.history import cost
from pipeline.results import interval, proportion_interval, row


def score(label: np.ndarray, predictions: Sequence[np.ndarray], **about) -> list[dict]:
    """A row for each metric, with one value for each of the predictions (N,)."""

    def mean_mcc(label: np.ndarray, *predictions: np.ndarray) -> float:
        return float(np.mean([matthews(label, prediction) for prediction in predictions]))

    of_mcc = interval(mean_mcc, label, *predictions)
    of_accuracy = proportion_interval(np.stack(predictions) == label)
    metrics = (("mcc", matthews, of_mcc), ("accuracy", accuracy, of_accuracy))
    return [
        row(metric=name, values=[metric(label, found) for found in predictions], ci=ci, **about)
        for name, metric, ci in metrics
    ]


def classifier_rows(
    label: Mapping[str, np.ndarray],
    probabilities: Mapping[str, Sequence[np.ndarray]],
    unseen: np.ndarray,
    histories: Sequence[dict],
    **about,
) -> list[dict]:
    """Rows of val and test: the mean over seeds, and the ensemble if there are several.

    label (N,) and each seed's probabilities (N, K) of val and test; unseen: bool (N,), the test
    rows that are in no other split: if they are not all, further rows count only them. histories:
    one per seed.
    """
    about |= {"task": "dna_classification", "inputs": "nucleotides", "implementation": "torch"}
    kinds = [("1", cost(histories), probabilities)]
    if len(histories) > 1:
        mean = {split: [np.mean(found, axis=0)] for split, found in probabilities.items()}
        kinds.append((f"{len(histories)} seeds", cost(histories, np.sum), mean))
    parts = [("val", "all", slice(None)), ("test", "all", slice(None))]
    if not unseen.all():
        parts.append(("test", "not in train", unseen))
    rows = []
    for split, subset, counted in parts:
        for members, trained, found in kinds:
            answers = [p.argmax(axis=1)[counted] for p in found[split]]  # (N,) each
            which = {"split": split, "subset": subset, "members": members}
            rows += score(label[split][counted], answers, **which, **trained, **about)
    return rows
