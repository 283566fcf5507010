"""Train one of the room's models by its chosen recipe: on the whole training part, or on all folds
but one, on which it is then scored.

Continues from its checkpoint if a run with the same settings, code and inputs was stopped; the
result is then the same to the last bit. A result that is there already, from the same settings,
code, data and candidate, is kept. The test part is not read.
"""

import json
import os
import time

from pydantic import Field

from mlp.folds import split
from mlp.inputs import load_inputs
from mlp.kept import kept, key
from mlp.recipe import Recipe
from mlp.training import build_training, model_name, parameter_count, probabilities
from numpy_nn.training import TrainingDiverged, evaluate
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.checkpoint import Checkpoint, file_sha256
from pipeline.errors import InputError
from pipeline.provenance import provenance
from raw.image_data import load_meta

SAVE_EVERY = 15.0  # seconds of training between checkpoints


class Spec(Recipe):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    model: str = Field("plain", description="name of the model in the configuration")
    seed: int = Field(1, ge=0, description="seed of weights, order, dropout and augmentation")
    fold: int | None = Field(None, ge=0, description="fold to hold out; null: train on all")
    folds: int = Field(5, ge=2, description="number of folds")
    fold_seed: int = Field(0, ge=0, description="seed of the folds")
    mirrors: bool = Field(False, description="score mirror images if trained with them")
    threads: int = Field(1, ge=1, description="BLAS threads, for the record: the rule sets them")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "hog?": "folder of its features, for a recipe that reads them",
            "selection?": "selection.json of the search that chose the recipe; none: as it is",
        },
        outputs={
            "model": "weights, .npz",
            "history": "history.json: the curve, seconds, provenance",
            "checkpoint?": "directory of the checkpoint",
        },
    )
    chosen = {}
    if args.selection:
        chosen = json.loads(args.selection.read_text(encoding="utf-8"))["selected"]
    spec: Spec = args.spec.changed(chosen)
    features = [args.hog / "meta.json"] if args.hog else []
    causes = key(args.spec_key, chosen, args.meta, *features)
    if kept(args.history, args.model, causes):
        os.utime(args.model)
        os.utime(args.history)
        print(f"{args.model}: already trained by this recipe: kept")
        return
    # A training that is stopped leaves no result of another one standing.
    args.history.unlink(missing_ok=True)
    args.model.unlink(missing_ok=True)
    classes = len(load_meta(args.meta)["classes"])
    x, y = load_inputs(spec.inputs, args.data, args.hog, "train", classes)
    kept_x, kept_y, validation, curve = x, y, None, []
    if spec.fold is not None:
        others, held_out = split(y, spec.fold, spec.folds, spec.fold_seed)
        kept_x, kept_y = x.subset(others), y[others]
        validation = x.subset(held_out), y[held_out]
    # Fold k and seed k have nothing in common but the number.
    part = None if spec.fold is None else "fold"
    training = build_training(
        spec, kept_x, kept_y, validation, classes=classes, seed=spec.seed, part=part
    )
    checkpoint = None
    if args.checkpoint:
        checkpoint = Checkpoint(args.checkpoint, causes, args.data)
        if stored := checkpoint.load():
            arrays, meta = stored
            training.load_state(arrays, meta["training"])
            curve = meta["curve"]
            print(f"resumed after epoch {training.epoch}", flush=True)
    saved = time.perf_counter()
    while not training.finished:
        try:
            curve.append(training.run_epoch())
        except TrainingDiverged as error:
            raise InputError(str(error)) from None
        print(curve[-1], flush=True)
        due = time.perf_counter() - saved > SAVE_EVERY
        if checkpoint and (due or checkpoint.stopping):
            arrays, meta = training.state()
            checkpoint.save(arrays, {"training": meta, "curve": curve})
            saved = time.perf_counter()
    out_of_fold = None
    if validation:
        mirrors = spec.mirrors and spec.flips
        plain, flips = probabilities(training.model, validation[0], mirrors)
        out_of_fold = {
            "accuracy": evaluate(plain, validation[1])[1],
            "flips_accuracy": evaluate(flips, validation[1])[1] if mirrors else None,
            "examples": len(validation[1]),
        }
    write_npz(args.model, **training.model.state_dict())
    write_json(
        args.history,
        {
            "task": "image_classification",
            "dataset": spec.dataset,
            "model": model_name(spec, spec.model, training.model.architecture),
            "seed": spec.seed,
            "part": f"seed{spec.seed}" if spec.fold is None else f"fold{spec.fold}",
            "fold": spec.fold,
            "recipe": spec.recipe(),
            "candidate": chosen,
            "curve": curve,
            "seconds": training.seconds,
            "parameters": parameter_count(training.model),
            "out_of_fold": out_of_fold,
            "provenance": provenance(spec.threads, packages=("numpy",)),
            "key": causes,
            "weights_sha256": file_sha256(args.model),
        },
    )
    if checkpoint:
        checkpoint.clear()


if __name__ == "__main__":
    settings.run(main)
