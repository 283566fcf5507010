"""From a recipe to a model and a training of it, in numpy_nn alone."""

from functools import partial

import numpy as np

from mlp.inputs import Inputs
from mlp.recipe import Recipe
from mlp.tokens import token_table
from numpy_nn.architecture import Model
from numpy_nn.early_stopping import EarlyStopping
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.mixup import Mixup
from numpy_nn.mlp import build_mlp
from numpy_nn.module import Module, NonFiniteError
from numpy_nn.optimisers import SGD, AdamW, Optimiser
from numpy_nn.schedules import SCHEDULES, one_cycle
from numpy_nn.standardise import Standardise
from numpy_nn.token_mixer import build_token_mixer
from numpy_nn.training import Training, TrainingDiverged, predict
from pipeline.errors import InputError
from pipeline.seeds import generator

FITTED = 10_000  # images, evenly spread, from which the pixels' mean and deviation are taken


def _standardise(recipe: Recipe, inputs: Inputs) -> Standardise:
    """One mean and deviation for all pixels; of features each has its own."""
    if recipe.inputs == "pixels":
        return Standardise().fit(inputs[:: max(1, len(inputs) // FITTED)])
    layer = Standardise(features=inputs.shape[1])
    layer.moments[...] = inputs.moments()
    return layer


def build_model(
    recipe: Recipe,
    inputs: Inputs,
    classes: int,
    weights_rng: np.random.Generator,
    dropout_rng: np.random.Generator,
) -> Model:
    """The untrained model for such inputs and `classes` classes.

    Raises InputError if a mixer cannot cut the inputs into tokens.
    """
    rngs = weights_rng, dropout_rng
    options = {
        "activation": recipe.activation,
        "norm": recipe.norm,
        "input_dropout": recipe.input_dropout,
    }
    standardise = _standardise(recipe, inputs)
    width = inputs.shape[1]
    if recipe.architecture == "mlp":
        widths = [width, *recipe.hidden, classes]
        return build_mlp(widths, recipe.dropout, *rngs, standardise, **options)
    rows, columns, _ = inputs.grids[0]
    if rows != columns:
        raise InputError(f"mixer: expected square images, found {rows}x{columns}")
    return build_token_mixer(
        token_table(inputs.grids, rows, recipe.patch, recipe.margin),
        *(width, recipe.channels, recipe.depth, recipe.token_width, recipe.channel_width),
        *(recipe.hidden, classes),
        *rngs,
        standardise,
        levels=[level.model_dump() for level in recipe.levels],
        dropout=recipe.dropout,
        mixer_dropout=recipe.mixer_dropout,
        **options,
    )


def _optimiser(recipe: Recipe, model: Model) -> Optimiser:
    if recipe.optimiser == "adamw":
        betas = (0.9, recipe.beta2)
        return AdamW(model.parameters(), recipe.lr, betas, weight_decay=recipe.weight_decay)
    nesterov = recipe.nesterov and recipe.momentum > 0
    return SGD(model.parameters(), recipe.lr, recipe.momentum, nesterov, recipe.weight_decay)


def build_training(
    recipe: Recipe,
    inputs: Inputs,
    y: np.ndarray,
    validation: tuple[Inputs, np.ndarray] | None = None,
    *,
    classes: int,
    seed: int,
    part: str | None = None,
) -> Training:
    """A training that is ready to run, on inputs (N, D) and labels y (N,).

    validation: held-out inputs and labels, scored after every epoch; recipe.patience asks them when
    to stop, and without them there is nothing to ask: every epoch is trained. Weights, order,
    dropout, views and mixup draw from streams of their own under `seed`, and those of a `part`
    ("fold") from others than those of the same seed without one.
    """

    def stream(name: str) -> np.random.Generator:
        return generator(seed, *([part] if part else []), name)

    dropout_rng, views_rng = stream("dropout"), stream("views")
    model = build_model(recipe, inputs, classes, stream("weights"), dropout_rng)
    seen = inputs
    if recipe.flips or recipe.shift:
        seen = inputs.augmented(views_rng, flips=recipe.flips, shift=recipe.shift)
    schedule = SCHEDULES[recipe.schedule]
    if recipe.schedule == "one_cycle":
        schedule = partial(one_cycle, warmup=recipe.warmup)
    return Training(
        model,
        SoftmaxCrossEntropy(recipe.label_smoothing),
        _optimiser(recipe, model),
        schedule,
        seen,
        y,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        rng=stream("order"),
        generators=[dropout_rng, views_rng],
        clip_norm=recipe.clip_norm,
        ema_decay=recipe.ema_decay,
        validation=validation,
        early_stopping=(
            EarlyStopping(recipe.patience, monitor="val_accuracy")
            if recipe.patience and validation
            else None
        ),
        mix=Mixup(recipe.mixup, classes) if recipe.mixup else None,
        augment_rng=stream("mixup"),
    )


def run_to_end(training: Training) -> tuple[list[dict], str | None]:
    """Train to the end: (curve, None), or the curve so far and what was said at a divergence.

    A learning rate that is too large is a finding of a search, no error of it.
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


def scored_epoch(training: Training, curve: list[dict]) -> dict:
    """The entry of the epoch whose weights the model holds: the last, or the best if stopped by it.

    The latter's accuracy chose it, and is therefore a little too high.
    """
    stopper = training.early_stopping
    return curve[(stopper.best_epoch if stopper else training.epoch) - 1]


def parameter_count(model: Module) -> int:
    """How many numbers a training changes."""
    return sum(parameter.value.size for parameter in model.parameters())


def probabilities(model: Module, x: Inputs, mirrors: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """p (N, K) float32 of x, and, if `mirrors`, the mean of it and of the mirror images' p.

    The second is test-time augmentation: Krizhevsky et al., ImageNet Classification, NIPS 2012,
    section 4.1, with the mirror image alone. Raises InputError if a probability is not a number.
    """
    try:
        p = predict(model, x)
        return p, (p + predict(model, x.mirrored())) / 2 if mirrors else None
    except NonFiniteError as error:
        raise InputError(
            f"{error}. The training diverged: lower the learning rate and train again."
        ) from None


def model_name(recipe: Recipe, model: str, architecture: dict) -> str:
    """The name on the leaderboard: layers and inputs of the net, and who chose it.

    A pyramid is a mixer that has levels and no blocks. No two models share a name. A plain MLP on
    pixels, a searched one on features, a mixer and a pyramid of that name go without the latter.
    """
    seen = recipe.inputs.replace("hog", "HOG").replace("+", " + ")
    if recipe.architecture == "mixer":
        tokens, channels = architecture["tokens"], architecture["channels"]
        told = "pyramid" if recipe.levels and not recipe.depth else "mixer"
        counted = (("level", len(recipe.levels)), ("block", recipe.depth))
        parts = [f"{n} {part}{'' if n == 1 else 's'}" for part, n in counted if n]
        name = ", ".join([f"{told.title()} of {tokens} tokens x {channels}", *parts])
        on = f" on {seen}"
    else:
        name = f"MLP {'-'.join(map(str, architecture['widths']))}"
        told = "plain" if recipe.inputs == "pixels" else "searched"
        on = "" if recipe.inputs == "pixels" else f" on {seen}"
    chosen = {"plain": "chosen by the grid", "searched": "chosen by halving"}
    if model == told:
        return name + on
    return f"{name}, {chosen.get(model, f'as {model}')}{',' if on else ''}{on}"
