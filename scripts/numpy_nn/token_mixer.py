"""A mixer over tokens of any features, with a multi-layer perceptron on all tokens at its end.

N examples, T tokens of F features each (a table says which; they may overlap), C channels:

    features (N, D) -> tokens (N, T, F) -> Linear F -> C, norm, activation
    for each of `levels`, where neighbours meet, with weights that all windows share:
        [window of tokens side by side, Linear -> its channels, norm, activation]
        and x + [...] (x) where it keeps the number of tokens and channels
    depth times, as in figure 1 of the paper, with weights that all channels, or tokens, share:
        x + [norm, transpose, pair T -> token_hidden -> T, transpose] (x)
        x + [norm, pair C -> channel_hidden -> C] (x)
        where a pair is Linear, activation, dropout, Linear
    [norm, after such blocks alone] -> side by side (N, T C)
        -> [Linear, norm, activation, dropout] ... -> Linear (N, classes)

The Linear F -> C has the same weights for every token. For tokens that do not overlap it is the
embedding of patches of Tolstikhin et al. (MLP-Mixer, NeurIPS 2021); where they overlap it is what a
convolution with that stride does, and so does a level: a pyramid of them is what a convolutional
net (LeCun et al., Gradient-Based Learning, 1998) is made of. Unlike in the papers the tokens are
not averaged in the end: where something is matters in a centred image.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from numpy_nn.architecture import Model
from numpy_nn.checks import refuse
from numpy_nn.linear import Linear
from numpy_nn.mlp import Parts, perceptron
from numpy_nn.module import Module, Sequential
from numpy_nn.standardise import Standardise
from numpy_nn.tokens import Flatten, Gather, Residual, Transpose, Unfold


def build_token_mixer(
    table: np.ndarray,
    features: int,
    channels: int,
    depth: int,
    token_hidden: int,
    channel_hidden: int,
    hidden: Sequence[int],
    classes: int,
    weights_rng: np.random.Generator,
    dropout_rng: np.random.Generator,
    standardise: Standardise | None = None,
    *,
    levels: Sequence[Mapping[str, int]] = (),
    dropout: float = 0.0,
    mixer_dropout: float = 0.0,
    input_dropout: float = 0.0,
    activation: str = "relu",
    norm: str = "batch",
) -> Model:
    """A token mixer that maps raw features (N, D), D = `features`, to logits (N, classes).

    table: integers (T, F), see Gather. levels: {"window", "stride", "channels"} each, see Unfold; T
    must then be a square. hidden: widths of the layers on all tokens. dropout: the rate after each
    of those; mixer_dropout: within the pairs; input_dropout: of the features.
    activation: "relu" or "gelu"; norm: "none", "batch" or "layer". Raises ValueError for others,
    or for a level that does not fit.
    """
    parts = Parts(weights_rng, dropout_rng, activation, norm)
    standardise = standardise or Standardise()
    tokens, token_features = np.shape(table)
    layers = [standardise, *parts.drop(input_dropout), Gather(table, features)]
    layers += parts.hidden(token_features, channels)
    left, width = tokens, channels
    for settings in levels:
        body, left, width = level(parts, left, width, **settings)
        layers += body
    for _ in range(depth):
        layers += mixer_block(parts, left, width, token_hidden, channel_hidden, mixer_dropout)
    if depth:
        layers += parts.normalise(width)
    layers += [Flatten(), *perceptron(parts, [left * width, *hidden, classes], dropout)]
    architecture = {
        "kind": "token_mixer", "tokens": tokens, "token_features": token_features,
        "features": features, "channels": channels, "levels": list(levels), "depth": depth,
        "token_hidden": token_hidden, "channel_hidden": channel_hidden, "hidden": list(hidden),
        "classes": classes, "dropout": dropout, "mixer_dropout": mixer_dropout,
        "input_dropout": input_dropout, "activation": activation, "norm": norm,
        "per_feature": standardise.per_feature,
    }  # fmt: skip
    return Model(architecture, *layers)


def level(
    parts: Parts, tokens: int, width: int, window: int, stride: int, channels: int
) -> tuple[list[Module], int, int]:
    """Each window of tokens (N, tokens, width) becomes one token of `channels`.

    Returns the layers, how many tokens are left, and their channels. Where both stay as they were
    the level is a residual.
    """
    side = math.isqrt(tokens)
    if side**2 != tokens:
        refuse("levels", "a square number of tokens", tokens)
    unfold = Unfold(side, window, stride)
    body = [unfold, *parts.hidden(window**2 * width, channels)]
    left = unfold.out_side**2
    if (left, channels) == (tokens, width):
        body = [Residual(Sequential(*body))]
    return body, left, channels


def mixer_block(
    parts: Parts, tokens: int, width: int, token_hidden: int, channel_hidden: int, dropout: float
) -> list[Module]:
    """First every channel is mixed over the tokens, then every token over its channels."""
    over_tokens = [Transpose(), *pair(parts, tokens, token_hidden, dropout), Transpose()]
    over_channels = pair(parts, width, channel_hidden, dropout)
    bodies = over_tokens, over_channels
    return [Residual(Sequential(*parts.normalise(width), *body)) for body in bodies]


def pair(parts: Parts, width: int, inner: int, dropout: float) -> list[Module]:
    """Two Linear layers, width -> inner -> width, with the activation and dropout between them."""
    first = Linear(width, inner, parts.weights_rng)
    return [first, *parts.activate(dropout), parts.output(inner, width)]
