"""A stored model of any kind, ready to evaluate."""

from collections.abc import Callable, Mapping

import numpy as np

from numpy_nn.architecture import Model, stored_architecture
from numpy_nn.mlp import build_mlp
from numpy_nn.parts import check_choice
from numpy_nn.standardise import Standardise
from numpy_nn.token_mixer import build_token_mixer

BUILDERS: dict[str, Callable[..., Model]] = {"mlp": build_mlp, "token_mixer": build_token_mixer}


def model_from_state(state: Mapping[str, np.ndarray]) -> Model:
    """The model whose `state_dict` was `state`, whichever builder made it, in evaluation.

    Raises ValueError if the state is that of no such model.
    """
    settings = stored_architecture(state)
    kind, per_feature = settings.pop("kind"), settings.pop("per_feature")
    check_choice("kind", kind, BUILDERS)
    if kind == "mlp":
        features = settings["widths"][0]
    else:
        features = settings["features"]
        shape = settings.pop("tokens"), settings.pop("token_features")
        settings["table"] = np.zeros(shape, np.int64)  # loading fills it in
    unused = np.random.default_rng(0)
    model = BUILDERS[kind](
        weights_rng=unused,
        dropout_rng=unused,
        standardise=Standardise(features=features if per_feature else None),
        **settings,
    )
    model.load_state_dict(state)
    return model.eval()
