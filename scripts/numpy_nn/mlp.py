"""The multi-layer perceptron: Linear, ReLU, Dropout, again and again, and a last Linear."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from numpy_nn.activations import GELU, ReLU
from numpy_nn.architecture import Model, stored_architecture
from numpy_nn.dropout import Dropout
from numpy_nn.initialisers import xavier_uniform
from numpy_nn.linear import Linear
from numpy_nn.module import Module
from numpy_nn.normalisation import BatchNorm, LayerNorm
from numpy_nn.relu_dropout import ReLUDropout
from numpy_nn.standardise import Standardise

ACTIVATIONS: dict[str, Callable[[], Module]] = {"relu": ReLU, "gelu": GELU}
NORMS: dict[str, Callable[[int], Module] | None] = {
    "none": None,
    "batch": BatchNorm,
    "layer": LayerNorm,
}


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
    ("none", "batch", "layer") stands between a hidden Linear and its activation ("relu", "gelu").
    weights_rng draws the weights, dropout_rng all masks; the latter's state belongs to a
    checkpoint. standardise: fitted on the training split.
    """
    check_choice("activation", activation, ACTIVATIONS)
    check_choice("norm", norm, NORMS)
    if len(widths) < 2:
        raise ValueError(f"widths: expected inputs, hidden ..., classes, given {list(widths)}")
    standardise = standardise or Standardise()
    layers: list[Module] = [standardise]
    if input_dropout:
        layers.append(Dropout(input_dropout, dropout_rng))
    *hidden, classes = widths[1:]
    fan_in = widths[0]
    for index, width in enumerate(hidden):
        layers.append(Linear(fan_in, width, weights_rng, input_grad=index > 0))
        if make_norm := NORMS[norm]:
            layers.append(make_norm(width))
        # In place: neither Linear nor norm looks at its output again.
        layers += activate(activation, dropout, dropout_rng, inplace=True)
        fan_in = width
    layers.append(Linear(fan_in, classes, weights_rng, xavier_uniform, input_grad=bool(hidden)))
    architecture = {
        "kind": "mlp",
        "widths": [int(width) for width in widths],
        "dropout": float(dropout),
        "activation": activation,
        "norm": norm,
        "input_dropout": float(input_dropout),
        "per_feature": standardise.per_feature,
    }
    return Model(architecture, *layers)


def activate(
    activation: str, dropout: float, rng: np.random.Generator, inplace: bool = False
) -> list[Module]:
    """The activation and, if `dropout` > 0, dropout of that rate; inplace: over their input."""
    if activation == "relu":
        return [ReLUDropout(dropout, rng, inplace) if dropout else ReLU(inplace)]
    # GELU looks at its input again, dropout not at its own.
    return [ACTIVATIONS[activation](), *([Dropout(dropout, rng, inplace)] if dropout else [])]


def mlp_from_state(state: Mapping[str, np.ndarray]) -> Model:
    """The MLP whose `state_dict` was `state`, for evaluation."""
    architecture = stored_architecture(state)
    check_choice("kind", architecture.pop("kind"), {"mlp"})
    features = architecture["widths"][0] if architecture.pop("per_feature") else None
    unused = np.random.default_rng(0)
    model = build_mlp(
        weights_rng=unused,
        dropout_rng=unused,
        standardise=Standardise(features=features),
        **architecture,
    )
    model.load_state_dict(state)
    model.eval()
    return model


def check_choice(name: str, given: str, choices: Mapping | set) -> None:
    """Raise ValueError if `given` is none of `choices`."""
    if given not in choices:
        raise ValueError(f"{name}: expected one of {sorted(choices)}, given {given!r}")
