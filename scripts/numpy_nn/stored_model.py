"""A stored model of any kind, ready to evaluate."""

from collections.abc import Callable, Mapping

import numpy as np

from numpy_nn.architecture import Model, stored_architecture
from numpy_nn.checks import refuse
from numpy_nn.mlp import build_mlp
from numpy_nn.standardise import Standardise
from numpy_nn.token_mixer import build_token_mixer

BUILDERS: dict[str, Callable[..., Model]] = {"mlp": build_mlp, "token_mixer": build_token_mixer}


def model_from_state(state: Mapping[str, np.ndarray]) -> Model:
    """The model whose `state_dict` was `state`, whichever builder made it, in evaluation.

    Raises ValueError if the state is that of no model.
    """
    settings = stored_architecture(state)
    kind, per_feature = settings.pop("kind"), settings.pop("per_feature")
    if kind not in BUILDERS:
        refuse("state", f"a model of a kind that is one of {sorted(BUILDERS)}", repr(kind))
    features = settings["widths"][0] if kind == "mlp" else settings["features"]
    if kind == "token_mixer":  # loading fills its table in
        shape = settings.pop("tokens"), settings.pop("token_features")
        settings["table"] = np.zeros(shape, np.int64)
    standardise = Standardise(features=features if per_feature else None)
    unused = np.random.default_rng(0)
    model = BUILDERS[kind](
        weights_rng=unused, dropout_rng=unused, standardise=standardise, **settings
    )
    model.load_state_dict(state)
    return model.eval()
