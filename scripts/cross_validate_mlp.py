"""Train one candidate on all folds but one and score it on that one.

Reads only the training part of the data set. The folds are stratified: each class has the same
share in every fold; they depend on fold_seed and the number of folds alone, so that all candidates
meet the same ones.
"""

import numpy as np
from pydantic import Field
from sklearn.model_selection import StratifiedKFold, train_test_split

from datasets.image_data import load_meta, load_part
from numpy_nn.training import TrainingDiverged, evaluate, predict
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from rooms.mlp_recipe import Candidate, Recipe


class Spec(Candidate, Recipe):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    fold: int = Field(0, ge=0, description="the fold that is held out, from 0")
    folds: int = Field(3, ge=2, description="number of folds")
    fold_seed: int = Field(0, ge=0, description="seed of the folds, the weights and the order")
    epochs: int = Field(8, ge=1, description="passes over the other folds")
    examples: int | None = Field(
        None, ge=10, description="use a stratified sample of so many training examples; null: all"
    )


def split(y: np.ndarray, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training folds and of the held-out fold, each in ascending order."""
    if spec.fold >= spec.folds:
        raise InputError(f"fold: expected 0 to {spec.folds - 1}, found {spec.fold}")
    chosen = np.arange(len(y))
    if spec.examples is not None and spec.examples < len(y):
        chosen, _ = train_test_split(
            chosen, train_size=spec.examples, stratify=y, random_state=spec.fold_seed
        )
        chosen.sort()
    if (rarest := np.bincount(y[chosen]).min()) < spec.folds:
        raise InputError(f"folds: expected at most {rarest}, the rarest class, found {spec.folds}")
    parts = StratifiedKFold(spec.folds, shuffle=True, random_state=spec.fold_seed)
    kept, held_out = list(parts.split(chosen, y[chosen]))[spec.fold]
    return chosen[kept], chosen[held_out]


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"data": "images.npz of a prepared data set", "meta": "its meta.json"},
        outputs={"out": "JSON: the candidate, the fold's accuracy (null if diverged), the curve"},
    )
    spec: Spec = args.spec
    classes = len(load_meta(args.meta)["classes"])
    x, y = load_part(args.data, "train", classes)
    kept, held_out = split(y, spec)
    training = spec.build_training(
        spec, x[kept], y[kept], classes=classes, epochs=spec.epochs, seed=spec.fold_seed
    )
    curve, message = [], None
    try:
        while not training.finished:
            entry = training.run_epoch()
            p = predict(training.model, x[held_out])
            entry["val_loss"], entry["val_accuracy"] = evaluate(p, y[held_out])
            curve.append(entry)
            print(entry, flush=True)
    except TrainingDiverged as error:
        # A learning rate that is too large is a finding of the search, no error of it.
        message = str(error)
        print(message)
    write_json(
        args.out,
        {
            **Candidate.model_validate(
                {name: getattr(spec, name) for name in Candidate.model_fields}
            ).model_dump(),
            "dataset": spec.dataset,
            "fold": spec.fold,
            "accuracy": curve[-1]["val_accuracy"] if message is None else None,
            "diverged": message is not None,
            "message": message,
            "seconds": training.seconds,
            "curve": curve,
        },
    )


if __name__ == "__main__":
    settings.run(main)
