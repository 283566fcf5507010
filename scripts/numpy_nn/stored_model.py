"""A stored model of any kind, ready to evaluate."""

from collections.abc import Mapping

import numpy as np

from numpy_nn.architecture import Model, stored_architecture
from numpy_nn.mlp import check_choice, mlp_from_state
from numpy_nn.token_mixer import token_mixer_from_state

KINDS = {
    "mlp": mlp_from_state,
    "token_mixer": token_mixer_from_state,
}


def model_from_state(state: Mapping[str, np.ndarray]) -> Model:
    """The model whose `state_dict` was `state`, whichever builder made it."""
    kind = stored_architecture(state)["kind"]
    check_choice("kind", kind, KINDS)
    return KINDS[kind](state)
