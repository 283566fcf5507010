"""The multi-layer perceptron: Linear, ReLU, Dropout, again and again, and a last Linear."""

from collections.abc import Mapping, Sequence

import numpy as np

from numpy_nn.activations import ReLU
from numpy_nn.dropout import Dropout
from numpy_nn.initialisers import xavier_uniform
from numpy_nn.linear import Linear
from numpy_nn.module import Module, Sequential
from numpy_nn.standardise import Standardise


def build_mlp(
    widths: Sequence[int],
    dropout: float,
    weights_rng: np.random.Generator,
    dropout_rng: np.random.Generator,
    standardise: Standardise | None = None,
) -> Sequential:
    """An MLP of `widths` (inputs, hidden ..., classes) that maps raw inputs to logits.

    dropout: the rate after every hidden ReLU. weights_rng draws the weights, dropout_rng all masks;
    the latter's state belongs to a checkpoint. standardise: fitted on the training split.
    """
    layers: list[Module] = [standardise or Standardise()]
    *hidden, classes = widths[1:]
    fan_in = widths[0]
    for index, width in enumerate(hidden):
        layers += [
            Linear(fan_in, width, weights_rng, input_grad=index > 0),
            ReLU(),
            Dropout(dropout, dropout_rng),
        ]
        fan_in = width
    layers.append(Linear(fan_in, classes, weights_rng, xavier_uniform, input_grad=bool(hidden)))
    return Sequential(*layers)


def mlp_from_state(state: Mapping[str, np.ndarray]) -> Sequential:
    """The MLP whose `state_dict` was `state`, for evaluation; the weights tell the widths."""
    weights = [array.shape for name, array in state.items() if name.endswith(".weight")]
    unused = np.random.default_rng(0)
    model = build_mlp([weights[0][0], *(shape[1] for shape in weights)], 0.0, unused, unused)
    model.load_state_dict(state)
    model.eval()
    return model
