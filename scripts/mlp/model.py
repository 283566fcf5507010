"""The room's models: built from a recipe, counted, and named."""

from typing import Any

import numpy as np

from mlp.inputs import Inputs
from mlp.settings import Recipe
from mlp.tokens import token_table
from numpy_nn.architecture import Model
from numpy_nn.mlp import build_mlp
from numpy_nn.module import Module
from numpy_nn.standardise import Standardise
from numpy_nn.token_mixer import build_token_mixer
from pipeline.errors import InputError

FITTED = 10_000  # images, evenly spread, from which the pixels' mean and deviation are taken


def build_model(
    recipe: Recipe,
    inputs: Inputs,
    classes: int,
    weights_rng: np.random.Generator,
    dropout_rng: np.random.Generator,
) -> Model:
    """The untrained model for such inputs and `classes` classes.

    Raises InputError if a mixer cannot cut the inputs into tokens, or the tokens into windows.
    """
    options: dict[str, Any] = {
        "activation": recipe.activation,
        "norm": recipe.norm,
        "dropout": recipe.dropout,
        "input_dropout": recipe.input_dropout,
        "standardise": _standardise(recipe, inputs),
        "weights_rng": weights_rng,
        "dropout_rng": dropout_rng,
    }
    width = inputs.shape[1]
    if recipe.architecture == "mlp":
        return build_mlp([width, *recipe.hidden, classes], **options)
    table = token_table(inputs.grids, inputs.grids[0][0], recipe.patch, recipe.margin)
    try:
        return build_token_mixer(
            table,
            features=width,
            channels=recipe.channels,
            depth=recipe.depth,
            token_hidden=recipe.token_width,
            channel_hidden=recipe.channel_width,
            hidden=recipe.hidden,
            classes=classes,
            levels=[level.model_dump() for level in recipe.levels],
            mixer_dropout=recipe.mixer_dropout,
            **options,
        )
    except ValueError as error:
        raise InputError(f"mixer: {len(table)} tokens: {error}") from None


def _standardise(recipe: Recipe, inputs: Inputs) -> Standardise:
    """One mean and deviation for all pixels; of features each has its own."""
    if recipe.inputs == "pixels":
        return Standardise().fit(inputs[:: max(1, len(inputs) // FITTED)])
    layer = Standardise(features=inputs.shape[1])
    layer.moments[...] = inputs.moments()
    return layer


def parameter_count(model: Module) -> int:
    """How many numbers a training changes."""
    return sum(parameter.value.size for parameter in model.parameters())


def inputs_name(recipe: Recipe) -> str:
    """What the leaderboard calls its inputs: pixels, HOG, pixels + HOG."""
    return recipe.inputs.replace("hog", "HOG").replace("+", " + ")


def title(recipe: Recipe, model: str, architecture: dict) -> str:
    """What the leaderboard calls it: the net's layers, and who chose its recipe.

    model: its name in the configuration; architecture: of the net as it was built. A pyramid is a
    mixer that has levels and no blocks. No two models of the same inputs share a title. A plain MLP
    on pixels, a searched one on features, a mixer and a pyramid of that name go without a chooser.
    """
    if recipe.architecture == "mixer":
        kind = "pyramid" if recipe.levels and not recipe.depth else "mixer"
        counted = (("level", len(recipe.levels)), ("block", recipe.depth))
        layers = [f"{n} {layer}{'' if n == 1 else 's'}" for layer, n in counted if n]
        tokens, channels = architecture["tokens"], architecture["channels"]
        name = ", ".join([f"{kind.title()} of {tokens} tokens x {channels}", *layers])
    else:
        kind = "plain" if recipe.inputs == "pixels" else "searched"
        name = f"MLP {'-'.join(map(str, architecture['widths']))}"
    if model == kind:
        return name
    chosen = {"plain": "chosen by the grid", "searched": "chosen by halving"}
    return f"{name}, {chosen.get(model, f'as {model}')}"
