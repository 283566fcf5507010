"""The MLP-Mixer: a net over patches of an image, of fully connected layers alone.

Tolstikhin et al., MLP-Mixer: An all-MLP Architecture for Vision, NeurIPS 2021, figure 1. N images,
T patches (tokens) of size x size pixels, C channels:

    pixels -> patches (N, T, size^2) -> Linear (N, T, C)
    depth times:
        x + [norm, transpose, Linear T -> token_hidden, activation, Linear back, transpose] (x)
        x + [norm, Linear C -> channel_hidden, activation, Linear back] (x)
    norm -> mean over tokens (N, C), or flatten (N, T C) -> Linear (N, classes)

Each of the two Linear pairs shares its weights between all channels, or all tokens, respectively.
"""

from collections.abc import Mapping

import numpy as np

from numpy_nn.architecture import Model, stored_architecture
from numpy_nn.dropout import Dropout
from numpy_nn.initialisers import xavier_uniform
from numpy_nn.linear import Linear
from numpy_nn.mlp import ACTIVATIONS, NORMS, check_choice
from numpy_nn.module import Module, Sequential
from numpy_nn.residual import Residual
from numpy_nn.standardise import Standardise
from numpy_nn.tokens import Flatten, MeanOverTokens, Patches, Transpose

POOLS = {"mean", "flatten"}


def build_mixer(
    side: int,
    patch: int,
    channels: int,
    depth: int,
    token_hidden: int,
    channel_hidden: int,
    classes: int,
    weights_rng: np.random.Generator,
    dropout_rng: np.random.Generator,
    standardise: Standardise | None = None,
    *,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    activation: str = "gelu",
    norm: str = "layer",
    pool: str = "mean",
) -> Model:
    """A mixer that maps raw images (N, side, side), in any shape of side^2 pixels, to logits.

    patch: pixels along a side of a patch, which must divide `side`. dropout: the rate after every
    activation and before the last Linear; input_dropout: that of the pixels. norm: "layer" as in
    the paper, "batch" or "none". The paper has activation "gelu" and pool "mean".
    The rest is as for `build_mlp`.
    """
    check_choice("activation", activation, ACTIVATIONS)
    check_choice("norm", norm, NORMS)
    check_choice("pool", pool, POOLS)
    standardise = standardise or Standardise()
    patches = Patches(side, side, patch)

    def normalise() -> list[Module]:
        make_norm = NORMS[norm]
        return [make_norm(channels)] if make_norm else []

    def pair(width: int, hidden: int) -> list[Module]:
        return [
            Linear(width, hidden, weights_rng),
            ACTIVATIONS[activation](),
            *drop(dropout),
            Linear(hidden, width, weights_rng, xavier_uniform),
        ]

    def drop(rate: float) -> list[Module]:
        return [Dropout(rate, dropout_rng)] if rate else []

    layers: list[Module] = [standardise, *drop(input_dropout), patches]
    layers.append(Linear(patches.channels, channels, weights_rng, xavier_uniform, input_grad=False))
    for _ in range(depth):
        mix_tokens = [Transpose(), *pair(patches.tokens, token_hidden), Transpose()]
        layers.append(Residual(Sequential(*normalise(), *mix_tokens)))
        layers.append(Residual(Sequential(*normalise(), *pair(channels, channel_hidden))))
    features = channels if pool == "mean" else channels * patches.tokens
    layers += [*normalise(), MeanOverTokens() if pool == "mean" else Flatten(), *drop(dropout)]
    layers.append(Linear(features, classes, weights_rng, xavier_uniform))
    numbers = {
        "side": side,
        "patch": patch,
        "channels": channels,
        "depth": depth,
        "token_hidden": token_hidden,
        "channel_hidden": channel_hidden,
        "classes": classes,
    }
    architecture = {
        "kind": "mixer",
        **{name: int(number) for name, number in numbers.items()},
        "dropout": float(dropout),
        "input_dropout": float(input_dropout),
        "activation": activation,
        "norm": norm,
        "pool": pool,
        "per_feature": standardise.per_feature,
    }
    return Model(architecture, *layers)


def mixer_from_state(state: Mapping[str, np.ndarray]) -> Model:
    """The mixer whose `state_dict` was `state`, for evaluation."""
    architecture = stored_architecture(state)
    check_choice("kind", architecture.pop("kind"), {"mixer"})
    features = architecture["side"] ** 2 if architecture.pop("per_feature") else None
    unused = np.random.default_rng(0)
    model = build_mixer(
        weights_rng=unused,
        dropout_rng=unused,
        standardise=Standardise(features=features),
        **architecture,
    )
    model.load_state_dict(state)
    model.eval()
    return model
