"""Score the final models, one a seed: on the training part, by cross-validation, on the test part.

This is the one program of the room that reads the test part, once, after everything was chosen.
"""

import json
from pathlib import Path

import numpy as np
from pydantic import Field

from datasets.image_data import load_meta, load_part
from numpy_nn.mlp import mlp_from_state
from numpy_nn.training import evaluate, predict
from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.results import proportion_interval, row


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    examples: int = Field(30, ge=1, description="test images that the report shows")


def probabilities(path: Path, x: np.ndarray) -> np.ndarray:
    """p (N, K) of the model that is stored at `path` for images x (N, ...) uint8."""
    with np.load(path, allow_pickle=False) as stored:
        return predict(mlp_from_state(dict(stored)), x)


def prediction_rows(p: np.ndarray, y: np.ndarray) -> list[dict]:
    return [
        {
            "id": index,
            "label": int(y[index]),
            "prediction": int(p[index].argmax()),
            **{f"p_{k}": f"{value:.6f}" for k, value in enumerate(p[index])},
        }
        for index in range(len(y))
    ]


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "selection": "selection.json",
            "models*": "weights, one file a seed",
            "histories*": "history.json of the same seeds, in the same order",
        },
        outputs={
            "metrics": "metrics.json",
            "predictions": "predictions.csv of the first seed's model on the test part",
            "examples": "examples.npz: test images with predictions",
        },
    )
    meta = load_meta(args.meta)
    histories = [json.loads(path.read_text(encoding="utf-8")) for path in args.histories]
    selection = json.loads(args.selection.read_text(encoding="utf-8"))
    selected = next(
        c
        for c in selection["candidates"]
        if all(c[name] == value for name, value in selection["selected"].items())
    )
    train_x, train_y = load_part(args.data, "train", len(meta["classes"]))
    test_x, test_y = load_part(args.data, "test", len(meta["classes"]))
    train = [evaluate(probabilities(path, train_x), train_y)[1] for path in args.models]
    test_p = [probabilities(path, test_x) for path in args.models]
    test = [evaluate(p, test_y)[1] for p in test_p]
    hits = np.stack([p.argmax(axis=1) == test_y for p in test_p])  # (seeds, N)
    final_seconds = [history["seconds"] for history in histories]

    def leaderboard_row(
        split: str,
        values: list[float],
        seconds: list[float],
        ci: tuple[float, float] | None = None,
    ) -> dict:
        return row(
            task="image_classification",
            dataset=args.spec.dataset,
            model=histories[0]["model"],
            implementation="numpy",
            metric="accuracy",
            split=split,
            values=values,
            ci=ci,
            parameters=histories[0]["parameters"],
            train_seconds=float(np.mean(seconds)),
            provenance=histories[0]["provenance"],
            data_sha256=meta["data_sha256"],
        )

    write_json(
        args.metrics,
        {
            "rows": [
                leaderboard_row("train", train, final_seconds),
                leaderboard_row("cv", selected["fold_accuracy"], selected["fold_seconds"]),
                leaderboard_row("test", test, final_seconds, proportion_interval(hits)),
            ],
            "notes": {
                "cv": (
                    "values are those of the folds, by models trained on the other folds: n_seeds"
                    " counts folds, train_seconds is the mean of a fold's training"
                ),
                "interval": "Wilson's; of several seeds bootstrap over images, of the seeds' mean",
                "predictions": "of the first seed's model",
                "selected": selection["selected"],
                "cv_seconds": selection["seconds"],
            },
        },
    )
    classes = range(test_p[0].shape[1])
    columns = ["id", "label", "prediction", *(f"p_{k}" for k in classes)]
    write_csv(args.predictions, prediction_rows(test_p[0], test_y), columns)
    shown = min(args.spec.examples, len(test_y))
    write_npz(
        args.examples,
        images=test_x[:shown, 0] if test_x.shape[1] == 1 else test_x[:shown].transpose(0, 2, 3, 1),
        label=test_y[:shown],
        prediction=test_p[0][:shown].argmax(axis=1),
        classes=np.array(meta["classes"]),
        title=np.array(f"{histories[0]['model']} on {meta.get('title', args.spec.dataset)}"),
    )
    print(f"train {np.mean(train):.4f}  test {np.mean(test):.4f}  ({len(test)} seeds)")


if __name__ == "__main__":
    settings.run(main)
