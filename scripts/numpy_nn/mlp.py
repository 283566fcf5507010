"""The multi-layer perceptron: Linear, norm, activation, dropout, again and again; a last Linear.

Parts makes the layers of one net; a mixer has it in common with an MLP.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from numpy_nn.activations import GELU, ReLU
from numpy_nn.architecture import Model
from numpy_nn.checks import refuse
from numpy_nn.dropout import Dropout
from numpy_nn.linear import Linear, xavier_uniform
from numpy_nn.module import Module
from numpy_nn.normalisation import BatchNorm, LayerNorm
from numpy_nn.standardise import Standardise

ACTIVATIONS: dict[str, Callable[[], Module]] = {"relu": ReLU, "gelu": GELU}
NORMS: dict[str, Callable[[int], Module]] = {"batch": BatchNorm, "layer": LayerNorm}


@dataclass
class Parts:
    """One activation ("relu", "gelu"), one norm ("none", "batch", "layer"), and two generators.

    weights_rng draws the weights in the order of the layers, dropout_rng all masks. Each method
    makes some layers and returns them as a list, which is empty for no norm or a dropout rate of 0.
    Raises ValueError for another activation or norm.
    """

    weights_rng: np.random.Generator
    dropout_rng: np.random.Generator
    activation: str
    norm: str

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            refuse("activation", f"one of {sorted(ACTIVATIONS)}", repr(self.activation))
        if self.norm not in ("none", *NORMS):
            refuse("norm", f"one of {['none', *NORMS]}", repr(self.norm))

    def normalise(self, width: int) -> list[Module]:
        return [NORMS[self.norm](width)] if self.norm in NORMS else []

    def drop(self, rate: float) -> list[Module]:
        return [Dropout(rate, self.dropout_rng)] if rate else []

    def activate(self, dropout: float = 0.0) -> list[Module]:
        return [ACTIVATIONS[self.activation](), *self.drop(dropout)]

    def hidden(self, fan_in: int, width: int, dropout: float = 0.0) -> list[Module]:
        linear = Linear(fan_in, width, self.weights_rng)
        return [linear, *self.normalise(width), *self.activate(dropout)]

    def output(self, fan_in: int, width: int) -> Module:
        """The Linear at the end, which no ReLU follows."""
        return Linear(fan_in, width, self.weights_rng, xavier_uniform)


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
        refuse("widths", "inputs, hidden ..., classes", list(widths))
    parts = Parts(weights_rng, dropout_rng, activation, norm)
    standardise = standardise or Standardise()
    architecture = {
        "kind": "mlp", "widths": list(widths), "dropout": dropout, "activation": activation,
        "norm": norm, "input_dropout": input_dropout, "per_feature": standardise.per_feature,
    }  # fmt: skip
    layers = [standardise, *parts.drop(input_dropout), *perceptron(parts, widths, dropout)]
    return Model(architecture, *layers)


def perceptron(parts: Parts, widths: Sequence[int], dropout: float) -> list[Module]:
    """Hidden layers of `widths` (inputs, hidden ..., outputs), and a Linear to the outputs."""
    layers: list[Module] = []
    for fan_in, width in zip(widths[:-2], widths[1:-1], strict=True):
        layers += parts.hidden(fan_in, width, dropout)
    return [*layers, parts.output(widths[-2], widths[-1])]
