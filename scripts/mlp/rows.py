"""What the evaluations of the room share: rows of the leaderboard, accuracies, notes."""

from collections.abc import Callable
from functools import partial

import numpy as np

from pipeline.results import proportion_interval, row

NOTES = {
    "cv": (
        "values are those of the folds, by models trained on the other folds: n_seeds counts folds,"
        " train_seconds is the mean of a fold's training. An ensemble of folds has none: all but"
        " one of its members have seen the image"
    ),
    "interval": "Wilson's; of several seeds bootstrap over images, of the seeds' mean",
    "ensemble": "parameters, train_seconds and train_flops are the sums of all members",
    "flips": "test-time augmentation: the mean over each image and the flipped one",
    "shifts": (
        "test-time augmentation, of nets on pixels alone: the mean over each image as it is and"
        " moved by every shift that the training drew from, with flips over the flipped ones too"
    ),
}


def row_maker(dataset: str, provenance: dict, data_sha256: str) -> Callable[..., dict]:
    """pipeline.results.row for accuracies on this data set."""
    return partial(
        row,
        task="image_classification",
        dataset=dataset,
        implementation="numpy",
        metric="accuracy",
        provenance=provenance,
        data_sha256=data_sha256,
    )


def scored(p: np.ndarray, y: np.ndarray) -> dict:
    """Accuracy of each model and the interval of their mean, as a row's `values` and `ci`.

    p (M, N, K) of M models, y (N,).
    """
    hits = p.argmax(axis=2) == y  # (M, N)
    interval = proportion_interval(hits if len(hits) > 1 else hits[0])
    return {"values": hits.mean(axis=1).tolist(), "ci": interval}


def print_rows(rows: list[dict]) -> None:
    for shown in rows:
        print("{model}, members {members}, views {views}: {split} {value:.4f}".format(**shown))
