"""From a recipe to a training of a model, in numpy_nn alone."""

from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from mlp.folds import split
from mlp.inputs import Augmented, Inputs, load_inputs
from mlp.model import build_model, parameter_count
from mlp.settings import FullRecipe, HeldOutSpec, Recipe, TrainSpec
from numpy_nn.early_stopping import EarlyStopping
from numpy_nn.flops import forward_flops
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.mixup import Mixup
from numpy_nn.optimisers import SGD, AdamW
from numpy_nn.schedules import SCHEDULES, one_cycle
from numpy_nn.training import Training, TrainingDiverged
from pipeline.errors import InputError
from pipeline.seeds import generator
from pipeline.settings import problems
from raw.image_data import load_meta

Changed = TypeVar("Changed", bound=Recipe)


def changed(recipe: Changed, candidate: Mapping[str, Any]) -> Changed:
    """`recipe`, which may be a whole spec, with the values that a search chose.

    Raises InputError for a key that no recipe has, `epochs` included, or for a bad value.
    """
    try:
        Recipe.model_validate(candidate)
        return type(recipe).model_validate(recipe.model_dump() | dict(candidate))
    except ValidationError as error:
        raise InputError(f"candidate: {'; '.join(problems(error, Recipe))}") from None


def build_training(
    recipe: FullRecipe,
    inputs: Inputs,
    y: np.ndarray,
    validation: tuple[Inputs, np.ndarray] | None = None,
    *,
    classes: int,
    seed: int,
    part: str | None = None,
) -> Training:
    """A training that is ready to run, on inputs (N, D) and labels y (N,).

    validation: held-out inputs and labels, scored after every epoch; recipe.patience stops by them.
    Without them every epoch is trained. Weights, order, dropout, views and mixup draw from streams
    of their own under `seed`; with a `part` ("fold"), from others than without one.
    """
    stream = partial(generator, seed, *([part] if part else []))
    dropout_rng, views_rng = stream("dropout"), stream("views")
    model = build_model(recipe, inputs, classes, stream("weights"), dropout_rng)
    weights, decay = model.parameters(), recipe.weight_decay
    if recipe.optimiser == "adamw":
        optimiser = AdamW(weights, recipe.lr, (0.9, recipe.beta2), weight_decay=decay)
    else:
        nesterov = recipe.nesterov and recipe.momentum > 0
        optimiser = SGD(weights, recipe.lr, recipe.momentum, nesterov, decay)
    schedules = {**SCHEDULES, "one_cycle": partial(one_cycle, warmup=recipe.warmup)}
    if recipe.flips or recipe.shift:
        inputs = Augmented(inputs, views_rng, recipe.flips, recipe.shift)
    stops = recipe.patience and validation
    return Training(
        model,
        SoftmaxCrossEntropy(recipe.label_smoothing),
        optimiser,
        schedules[recipe.schedule],
        inputs,
        y,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        rng=stream("order"),
        generators=[dropout_rng, views_rng],
        clip_norm=recipe.clip_norm,
        ema_decay=recipe.ema_decay,
        validation=validation,
        early_stopping=EarlyStopping(recipe.patience, monitor="val_accuracy") if stops else None,
        mix=Mixup(recipe.mixup, classes) if recipe.mixup else None,
        augment_rng=stream("mixup"),
    )


def load_training(spec: HeldOutSpec | TrainSpec, args: Namespace) -> Training:
    """The training of `spec` on the files of a command line (mlp.inputs.DATA).

    On all folds but `spec.fold`, which then validates; without a fold on the whole training part.
    """
    classes = len(load_meta(args.meta)["classes"])
    x, y = load_inputs(spec.inputs, args.data, args.hog, "train", classes)
    if isinstance(spec, HeldOutSpec):  # all candidates of a search start from the same weights
        seed, part, examples = spec.fold_seed, None, spec.examples
    else:  # fold k and seed k have nothing in common but the number
        seed, part, examples = spec.seed, None if spec.fold is None else "fold", None
    streams = {"classes": classes, "seed": seed, "part": part}
    if spec.fold is None:
        return build_training(spec, x, y, **streams)
    kept, held_out = split(y, spec.fold, spec.folds, spec.fold_seed, examples)
    validation = x.subset(held_out), y[held_out]
    return build_training(spec, x.subset(kept), y[kept], validation, **streams)


def run_to_end(training: Training) -> dict:
    """Train to the end. Returns what a search records of it, for a training with a held-out fold.

    A learning rate that is too large is a finding of a search, not an error of it: accuracy and
    loss are then None, and "message" says where the training diverged.
    """
    curve, message = [], None
    try:
        while not training.finished:
            curve.append(training.run_epoch())
            print(curve[-1], flush=True)
    except TrainingDiverged as error:
        message = str(error)
        print(message)
    best = {} if message else scored_epoch(training, curve)
    return {
        "accuracy": best.get("val_accuracy"),
        "loss": best.get("val_loss"),
        "diverged": message is not None,
        "message": message,
        "seconds": training.seconds,
        "parameters": parameter_count(training.model),
        "curve": curve,
    }


def train_flops(training: Training) -> int:
    """Floating-point operations of what was trained: 3 x forward x examples seen.

    Backward counts as two forward passes: one for the weights, one for the inputs.
    """
    one = np.zeros((1, *training.x.shape[1:]), training.x.dtype)
    return 3 * forward_flops(training.model, one) * training.epoch * len(training.x)


def scored_epoch(training: Training, curve: list[dict]) -> dict:
    """The entry of the epoch whose weights the model holds: the last, or the best if stopped early.

    The latter's accuracy chose it, and is therefore a little too high.
    """
    stopper = training.early_stopping
    return curve[(stopper.best_epoch if stopper else training.epoch) - 1]
