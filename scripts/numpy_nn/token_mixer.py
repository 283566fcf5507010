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
    [norm, behind such blocks alone] -> side by side (N, T C)
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

from numpy_nn.architecture import Model, stored_architecture
from numpy_nn.dropout import Dropout
from numpy_nn.gather import Gather
from numpy_nn.initialisers import xavier_uniform
from numpy_nn.linear import Linear
from numpy_nn.mlp import ACTIVATIONS, NORMS, activate, check_choice
from numpy_nn.module import Module, Sequential
from numpy_nn.residual import Residual
from numpy_nn.standardise import Standardise
from numpy_nn.tokens import Flatten, Transpose
from numpy_nn.unfold import Unfold

# The keys of a level.
LEVEL = ("window", "stride", "channels")


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
    check_choice("activation", activation, ACTIVATIONS)
    check_choice("norm", norm, NORMS)
    standardise = standardise or Standardise()
    tokens, token_features = np.shape(table)
    make_norm = NORMS[norm]

    def normalise(width: int) -> list[Module]:
        return [make_norm(width)] if make_norm else []

    def pair(width: int, inner: int) -> list[Module]:
        return [
            Linear(width, inner, weights_rng),
            *activate(activation, mixer_dropout, dropout_rng),
            Linear(inner, width, weights_rng, xavier_uniform),
        ]

    layers: list[Module] = [
        standardise,
        *([Dropout(input_dropout, dropout_rng)] if input_dropout else []),
        Gather(table, features, input_grad=False),
        Linear(token_features, channels, weights_rng, input_grad=False),
        *normalise(channels),
        ACTIVATIONS[activation](),
    ]
    side, width = math.isqrt(tokens), channels
    if levels and side**2 != tokens:
        raise ValueError(f"levels: expected a square number of tokens, given {tokens}")
    for level in levels:
        unfold = Unfold(side, level["window"], level["stride"])
        inner, outer = level["window"] ** 2 * width, level["channels"]
        body = [unfold, Linear(inner, outer, weights_rng), *normalise(outer)]
        body.append(ACTIVATIONS[activation]())
        keeps = (unfold.out_side, outer) == (side, width)
        layers += [Residual(Sequential(*body))] if keeps else body
        side, width = unfold.out_side, outer
    left = side**2 if levels else tokens
    for _ in range(depth):
        mix_tokens = [Transpose(), *pair(left, token_hidden), Transpose()]
        layers.append(Residual(Sequential(*normalise(width), *mix_tokens)))
        mix_channels = pair(width, channel_hidden)
        layers.append(Residual(Sequential(*normalise(width), *mix_channels)))
    if depth:
        layers += normalise(width)
    layers.append(Flatten())
    width *= left
    for wide in hidden:
        layers += [Linear(width, wide, weights_rng), *normalise(wide)]
        layers += activate(activation, dropout, dropout_rng)
        width = wide
    layers.append(Linear(width, classes, weights_rng, xavier_uniform))
    numbers = {
        "tokens": tokens,
        "token_features": token_features,
        "features": features,
        "channels": channels,
        "depth": depth,
        "token_hidden": token_hidden,
        "channel_hidden": channel_hidden,
        "classes": classes,
    }
    architecture = {
        "kind": "token_mixer",
        "levels": [{name: int(level[name]) for name in LEVEL} for level in levels],
        **{name: int(number) for name, number in numbers.items()},
        "hidden": [int(wide) for wide in hidden],
        "dropout": float(dropout),
        "mixer_dropout": float(mixer_dropout),
        "input_dropout": float(input_dropout),
        "activation": activation,
        "norm": norm,
        "per_feature": standardise.per_feature,
    }
    return Model(architecture, *layers)


def token_mixer_from_state(state: Mapping[str, np.ndarray]) -> Model:
    """The token mixer whose `state_dict` was `state`, for evaluation."""
    architecture = stored_architecture(state)
    check_choice("kind", architecture.pop("kind"), {"token_mixer"})
    features = architecture["features"] if architecture.pop("per_feature") else None
    # Loading fills the table in.
    table = np.zeros((architecture.pop("tokens"), architecture.pop("token_features")), np.int64)
    unused = np.random.default_rng(0)
    model = build_token_mixer(
        table,
        weights_rng=unused,
        dropout_rng=unused,
        standardise=Standardise(features=features),
        **architecture,
    )
    model.load_state_dict(state)
    model.eval()
    return model
