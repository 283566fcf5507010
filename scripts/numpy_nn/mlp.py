"""The multi-layer perceptron: Linear, norm, activation, dropout, again and again; a last Linear."""

from collections.abc import Sequence

import numpy as np

from numpy_nn.architecture import Model
from numpy_nn.module import Module
from numpy_nn.parts import Parts
from numpy_nn.standardise import Standardise


def build_mlp(
    widths: Sequence[int],
    dropout: float,
    weights_rng: np.random.Generator,
    dropout_rng: np.random.Generator,
    standardise: Standardise | None = None,
    *,
    activation: str = "relu",
    norm: str = "none",
    input_dropout: float = 0.0,
) -> Model:
    """An MLP of `widths` (inputs, hidden ..., classes) that maps raw inputs to logits.

    dropout: the rate after every hidden activation; input_dropout: that of the inputs. norm
    ("none", "batch", "layer") is between a hidden Linear and its activation ("relu", "gelu").
    weights_rng draws the weights, dropout_rng all masks; the latter's state belongs to a
    checkpoint. standardise: fitted on the training split.
    """
    if len(widths) < 2:
        raise ValueError(f"widths: expected inputs, hidden ..., classes, found {list(widths)}")
    parts = Parts(weights_rng, dropout_rng, activation, norm)
    standardise = standardise or Standardise()
    architecture = {
        "kind": "mlp",
        "widths": [int(width) for width in widths],
        "dropout": float(dropout),
        "activation": activation,
        "norm": norm,
        "input_dropout": float(input_dropout),
        "per_feature": standardise.per_feature,
    }
    return Model(
        architecture,
        standardise,
        *parts.drop(input_dropout),
        *perceptron(parts, widths, dropout, input_grad=False),
    )


def perceptron(
    parts: Parts, widths: Sequence[int], dropout: float, input_grad: bool = True
) -> list[Module]:
    """Hidden layers of `widths` (inputs, hidden ..., outputs), and a Linear to the outputs.

    input_grad: whether the first Linear computes dL/dx.
    """
    layers: list[Module] = []
    for fan_in, width in zip(widths[:-2], widths[1:-1], strict=True):
        layers += parts.hidden(fan_in, width, dropout, input_grad or bool(layers))
    return layers + parts.output(widths[-2], widths[-1], input_grad or bool(layers))
