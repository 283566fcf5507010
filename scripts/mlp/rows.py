"""What the evaluations of Part 1 write: rows of the leaderboard, predictions, example images."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.atomic import write_csv, write_npz
from pipeline.results import proportion_interval, row

NOTES = {
    "cv": (
        "values are those of the folds, by models trained on the other folds: n_seeds counts folds,"
        " train_seconds is the mean of a fold's training. An ensemble of folds has none: all but"
        " one of its members have seen the image"
    ),
    "interval": "Wilson's; of several seeds bootstrap over images, of the seeds' mean",
    "ensemble": "parameters and train_seconds are the sums of all members",
    "flips": "test-time augmentation: the mean over each image and its mirror image",
    "shifts": (
        "test-time augmentation, of nets on pixels alone: the mean over each image as it is and"
        " moved by every shift that the training drew from, with flips over the mirror images too"
    ),
}


def row_maker(dataset: str, provenance: dict, data_sha256: str) -> Callable[..., dict]:
    """make(model, split, values, parameters, seconds, ci=None) -> a row of this data set."""

    def make(
        model: str,
        split: str,
        values: Sequence[float],
        parameters: int,
        seconds: float,
        ci: tuple[float, float] | None = None,
    ) -> dict:
        return row(
            task="image_classification",
            dataset=dataset,
            model=model,
            implementation="numpy",
            metric="accuracy",
            split=split,
            values=values,
            ci=ci,
            parameters=parameters,
            train_seconds=seconds,
            provenance=provenance,
            data_sha256=data_sha256,
        )

    return make


def scored(p: np.ndarray, y: np.ndarray) -> tuple[list[float], tuple[float, float]]:
    """Accuracy of each model and the interval of their mean; p (M, N, K), y (N,)."""
    hits = p.argmax(axis=2) == y  # (M, N)
    return hits.mean(axis=1).tolist(), proportion_interval(hits if len(hits) > 1 else hits[0])


def write_predictions(path: Path, p: np.ndarray, y: np.ndarray) -> None:
    """predictions.csv: id, label, prediction, p_0 ... of p (N, K) against y (N,)."""
    names = [f"p_{k}" for k in range(p.shape[1])]
    rows = (
        {"id": i, "label": int(y[i]), "prediction": int(p[i].argmax())}
        | dict(zip(names, (f"{value:.6f}" for value in p[i]), strict=True))
        for i in range(len(y))
    )
    write_csv(path, rows, ["id", "label", "prediction", *names])


def write_examples(
    path: Path, images: np.ndarray, y: np.ndarray, p: np.ndarray, classes: list[str], title: str
) -> None:
    """examples.npz: images (N, C, H, W) uint8 with labels y (N,) and predictions p (N, K)."""
    write_npz(
        path,
        images=images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1),
        label=y,
        prediction=p.argmax(axis=1),
        classes=np.array(classes),
        title=np.array(title),
    )
