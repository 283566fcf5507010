"""A model that knows how it was built: its state is enough to build it again."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.linear import Linear
from numpy_nn.module import Module, Sequential


class Model(Sequential):
    """Layers one after another, and `architecture`, the settings that a builder made them from.

    The settings are part of the state, as the bytes of a JSON text (uint8, so that a stored model
    holds nothing but numbers): {"kind": "mlp" or "token_mixer", ...the builder's arguments}.
    Nobody needs dL/dx of the model's input: the first Linear leaves it out.
    """

    KEY = "architecture"

    def __init__(self, architecture: Mapping[str, Any], *layers: Module):
        super().__init__(*layers)
        next(layer for layer in layers if isinstance(layer, Linear)).input_grad = False
        self.text = json.dumps(architecture, sort_keys=True, default=np.generic.item)
        self.architecture: dict[str, Any] = json.loads(self.text)  # as it is after loading

    def buffers(self) -> dict[str, np.ndarray]:
        return {self.KEY: np.frombuffer(self.text.encode(), np.uint8).copy()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """As Module's. Raises ValueError too if the state is that of another architecture."""
        if self.KEY in state and (other := stored_architecture(state)) != self.architecture:
            refuse("state", f"architecture {self.architecture}", other)
        super().load_state_dict(state)


def stored_architecture(state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The settings of the model whose `state_dict` was `state`."""
    if Model.KEY not in state:
        refuse("state", f"a name {Model.KEY!r}", sorted(state))
    return json.loads(np.asarray(state[Model.KEY], np.uint8).tobytes())
