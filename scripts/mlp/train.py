"""Train one of the room's models by its chosen recipe: on the whole training part, or on all folds
but one, on which it is then scored.

Continues from its checkpoint if a run with the same settings, code and inputs was stopped; the
result is then the same to the last bit. A result that is there already, from the same settings,
code, data and candidate, is kept. The test part is not read.
"""

import json
import os

import numpy as np

from mlp.folds import split
from mlp.inputs import load_inputs
from mlp.kept import kept, key
from mlp.model import inputs_name, parameter_count, title
from mlp.recipe import changed, recipe_keys
from mlp.settings import TrainSpec
from mlp.training import build_training, train_flops
from mlp.views import probabilities
from numpy_nn.prediction import evaluate
from numpy_nn.training import TrainingDiverged
from pipeline import settings
from pipeline.atomic import write_npz
from pipeline.checkpoint import Checkpoint, file_sha256
from pipeline.errors import InputError
from pipeline.provenance import provenance
from pipeline.training_run import TrainingRun
from raw.image_data import load_meta


def main() -> None:
    args = settings.arguments(
        __doc__,
        TrainSpec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "hog?": "folder of its features, for a recipe that reads them",
            "selection?": "selection.json of the search that chose the recipe; none: --spec has it",
        },
        outputs={
            "weights": "weights, .npz",
            "history": "history.json: the curve, seconds, provenance",
            "checkpoint?": "directory of the checkpoint",
        },
    )
    chosen = {}
    if args.selection:
        chosen = json.loads(args.selection.read_text(encoding="utf-8"))["selected"]
    spec = changed(args.spec, chosen)
    features = [args.hog / "meta.json"] if args.hog else []
    causes = key(args.spec_key, chosen, args.meta, *features)
    if kept(args.history, args.weights, causes):
        os.utime(args.weights)
        os.utime(args.history)
        print(f"{args.weights}: already trained by this recipe: kept")
        return
    # A training that is stopped must not leave the result of another one behind.
    args.history.unlink(missing_ok=True)
    args.weights.unlink(missing_ok=True)

    classes = len(load_meta(args.meta)["classes"])
    x, y = load_inputs(spec.inputs, args.data, args.hog, "train", classes)
    train, validation, part = np.arange(len(y)), None, None
    if spec.fold is not None:
        train, held_out = split(y, spec.fold, spec.folds, spec.fold_seed)
        validation = x.subset(held_out), y[held_out]
        part = "fold"  # fold k and seed k have nothing in common but the number
    training = build_training(
        spec, x.subset(train), y[train], validation, classes=classes, seed=spec.seed, part=part
    )
    run = TrainingRun(
        args.history,
        training,
        Checkpoint(args.checkpoint, causes, args.data) if args.checkpoint else None,
        spec.epochs,
        provenance=provenance(spec.threads, packages=("numpy",)),
    )
    for _epoch in run:
        try:
            run.append(training.run_epoch())
        except TrainingDiverged as error:
            raise InputError(str(error)) from None
        if training.finished:
            break

    model, out_of_fold = training.model, None
    if validation:
        accuracy = evaluate(probabilities(model, validation[0]), validation[1])[1]
        out_of_fold = {"accuracy": accuracy, "examples": len(validation[1])}
    write_npz(args.weights, **model.state_dict())
    run.finish(
        task="image_classification",
        dataset=spec.dataset,
        model=title(spec, spec.model, model.architecture),
        inputs=inputs_name(spec),
        seed=spec.seed,
        part=f"seed{spec.seed}" if spec.fold is None else f"fold{spec.fold}",
        fold=spec.fold,
        recipe=recipe_keys(spec),
        candidate=chosen,
        seconds=training.seconds,  # of the epochs alone, without validation
        parameters=parameter_count(model),
        train_flops=train_flops(training),
        out_of_fold=out_of_fold,
        key=causes,
        weights_sha256=file_sha256(args.weights),
    )


if __name__ == "__main__":
    settings.run(main)
