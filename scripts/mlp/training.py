"""From a recipe to a training of a model, in numpy_nn alone."""

from functools import partial

import numpy as np

from mlp.inputs import Inputs
from mlp.model import build_model
from mlp.settings import FullRecipe
from numpy_nn.architecture import Model
from numpy_nn.early_stopping import EarlyStopping
from numpy_nn.flops import forward_flops
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.mixup import Mixup
from numpy_nn.optimisers import SGD, AdamW, Optimiser
from numpy_nn.schedules import SCHEDULES, Schedule, one_cycle
from numpy_nn.training import Training, TrainingDiverged
from pipeline.seeds import generator


def _optimiser(recipe: FullRecipe, model: Model) -> Optimiser:
    if recipe.optimiser == "adamw":
        betas = (0.9, recipe.beta2)
        return AdamW(model.parameters(), recipe.lr, betas, weight_decay=recipe.weight_decay)
    nesterov = recipe.nesterov and recipe.momentum > 0
    return SGD(model.parameters(), recipe.lr, recipe.momentum, nesterov, recipe.weight_decay)


def _schedule(recipe: FullRecipe) -> Schedule:
    if recipe.schedule == "one_cycle":
        return partial(one_cycle, warmup=recipe.warmup)
    return SCHEDULES[recipe.schedule]


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
    of their own under `seed`, and those of a `part` ("fold") from others than those of the same
    seed without one.
    """

    def stream(name: str) -> np.random.Generator:
        return generator(seed, *([part] if part else []), name)

    dropout_rng, views_rng = stream("dropout"), stream("views")
    model = build_model(recipe, inputs, classes, stream("weights"), dropout_rng)
    seen = inputs
    if recipe.flips or recipe.shift:
        seen = inputs.augmented(views_rng, flips=recipe.flips, shift=recipe.shift)
    early_stopping = None
    if recipe.patience and validation:
        early_stopping = EarlyStopping(recipe.patience, monitor="val_accuracy")
    return Training(
        model,
        SoftmaxCrossEntropy(recipe.label_smoothing),
        _optimiser(recipe, model),
        _schedule(recipe),
        seen,
        y,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        rng=stream("order"),
        generators=[dropout_rng, views_rng],
        clip_norm=recipe.clip_norm,
        ema_decay=recipe.ema_decay,
        validation=validation,
        early_stopping=early_stopping,
        mix=Mixup(recipe.mixup, classes) if recipe.mixup else None,
        augment_rng=stream("mixup"),
    )


def run_to_end(training: Training) -> tuple[list[dict], str | None]:
    """Train to the end: (curve, None), or the curve so far and how the training diverged.

    A learning rate that is too large is a finding of a search, not an error of it.
    """
    curve = []
    try:
        while not training.finished:
            curve.append(training.run_epoch())
            print(curve[-1], flush=True)
    except TrainingDiverged as error:
        print(error)
        return curve, str(error)
    return curve, None


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
