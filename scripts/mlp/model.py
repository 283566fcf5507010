"""The room's models: built from a recipe, counted, and named."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from mlp.inputs import Inputs
from mlp.settings import Recipe
from numpy_nn.architecture import Model
from numpy_nn.mlp import build_mlp
from numpy_nn.module import Module
from numpy_nn.standardise import Standardise
from numpy_nn.token_mixer import build_token_mixer
from pipeline.errors import InputError

FITTED = 10_000  # images, evenly spread, from which the pixels' mean and deviation are taken


def build_model(
    recipe: Recipe, inputs: Inputs, classes: int, weights_rng: Generator, dropout_rng: Generator
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


def token_table(
    grids: Sequence[tuple[int, int, int]], side: int, patch: int, margin: int = 0
) -> np.ndarray:
    """Which inputs make a token: a square of an image's pixels and the cells of features over it.

    Returns the table of numpy_nn.tokens.Gather, int64 (T, F), T = (side / patch)^2, row by row.

    grids: how the inputs lie, one grid after the other, each ordered (rows, columns, numbers) and
    stretched over the square image of `side` pixels. patch: side of a token's square in pixels;
    margin: pixels around it that the token sees too, in each grid as many whole cells as fit into
    that. -1 where a margin reaches beyond the image.
    Raises InputError if the tokens cannot be cut out of the image, or out of a grid.
    """
    if side % patch:
        raise InputError(f"mixer: patch: expected a divisor of {side} pixels, found {patch}")
    across = side // patch
    start, parts = 0, []
    for rows, columns, numbers in grids:
        if rows != columns or rows % across:
            wanted = f"grids of a multiple of {across}x{across} cells, as there are tokens"
            raise InputError(f"mixer: patch {patch}: expected {wanted}, found {rows}x{columns}")
        cells, beyond = rows // across, margin * rows // side
        places = np.arange(start, start + rows * columns * numbers).reshape(rows, columns, numbers)
        framed = np.pad(places, ((beyond, beyond), (beyond, beyond), (0, 0)), constant_values=-1)
        window = cells + 2 * beyond
        windows = np.lib.stride_tricks.sliding_window_view(framed, (window, window), axis=(0, 1))
        windows = windows[::cells, ::cells].transpose(0, 1, 3, 4, 2)  # (T, T, w, w, numbers)
        parts.append(windows.reshape(across**2, -1))
        start += rows * columns * numbers
    return np.concatenate(parts, axis=1)


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
