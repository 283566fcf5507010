"""How the layers of one net are made: what an MLP, a mixer and a pyramid have in common."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from numpy_nn.activations import GELU, ReLU
from numpy_nn.dropout import Dropout
from numpy_nn.initialisers import xavier_uniform
from numpy_nn.linear import Linear
from numpy_nn.module import Module
from numpy_nn.normalisation import BatchNorm, LayerNorm

ACTIVATIONS: dict[str, Callable[[], Module]] = {"relu": ReLU, "gelu": GELU}
NORMS: dict[str, Callable[[int], Module] | None] = {
    "none": None,
    "batch": BatchNorm,
    "layer": LayerNorm,
}


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
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("norm", self.norm, NORMS)

    def normalise(self, width: int) -> list[Module]:
        make = NORMS[self.norm]
        return [make(width)] if make else []

    def drop(self, rate: float) -> list[Module]:
        return [Dropout(rate, self.dropout_rng)] if rate else []

    def activate(self, dropout: float = 0.0) -> list[Module]:
        return [ACTIVATIONS[self.activation](), *self.drop(dropout)]

    def hidden(
        self, fan_in: int, width: int, dropout: float = 0.0, input_grad: bool = True
    ) -> list[Module]:
        linear = Linear(fan_in, width, self.weights_rng, input_grad=input_grad)
        return [linear, *self.normalise(width), *self.activate(dropout)]

    def output(self, fan_in: int, width: int, input_grad: bool = True) -> list[Module]:
        """The Linear at the end, which no ReLU follows."""
        return [Linear(fan_in, width, self.weights_rng, xavier_uniform, input_grad)]


def check_choice(name: str, found: str, choices: Collection[str]) -> None:
    """Raise ValueError if `found` is none of `choices`."""
    if found not in choices:
        raise ValueError(f"{name}: expected one of {sorted(choices)}, found {found!r}")
