"""A model that knows how it was built: its state is enough to build it again."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpy_nn.module import Module, Sequential


class Model(Sequential):
    """Layers one after another, and `architecture`, the settings that a builder made them from.

    The settings are part of the state, as the bytes of a JSON text (uint8, so that a stored model
    holds nothing but numbers): {"kind": "mlp" or "token_mixer", ...the builder's
    arguments}.
    """

    KEY = "architecture"

    def __init__(self, architecture: Mapping[str, Any], *layers: Module):
        super().__init__(*layers)
        self.architecture = dict(architecture)

    def buffers(self) -> dict[str, np.ndarray]:
        text = json.dumps(self.architecture, sort_keys=True)
        return {self.KEY: np.frombuffer(text.encode(), np.uint8).copy()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """As Module's. Raises ValueError too if the state is that of another architecture."""
        if self.KEY in state and (other := stored_architecture(state)) != self.architecture:
            raise ValueError(f"state: expected architecture {self.architecture}, found {other}")
        super().load_state_dict(state)


def stored_architecture(state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The settings of the model whose `state_dict` was `state`."""
    if Model.KEY not in state:
        raise ValueError(f"state: expected a name {Model.KEY!r}, found {sorted(state)}")
    return json.loads(np.asarray(state[Model.KEY], np.uint8).tobytes())
