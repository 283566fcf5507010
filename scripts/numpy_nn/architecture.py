"""A model that knows how it was built: its state is enough to build it again."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpy_nn.module import Module, NonFiniteError, Sequential, all_finite


class Model(Sequential):
    """Layers one after another, and `architecture`, the settings that a builder made them from.

    The settings are part of the state, as the bytes of a JSON text (uint8, so that a stored model
    holds nothing but numbers): {"kind": "mlp" or "token_mixer", ...the builder's
    arguments}.

    Its layers do not look for NaN and infinity one by one, which would cost a step some percent:
    whatever is not finite makes logits that are not, and then the layers look.
    """

    KEY = "architecture"

    def __init__(self, architecture: Mapping[str, Any], *layers: Module):
        super().__init__(*layers)
        self.architecture = dict(architecture)
        self._watch(False)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Raises NonFiniteError, which names the first layer that was given what is not finite."""
        try:
            y = super().forward(x)
            if all_finite(y):
                return y
        except NonFiniteError:
            pass  # from a layer that noticed; it need not be the first
        self._watch(True)
        try:
            return super().forward(x)
        finally:
            self._watch(False)

    def _watch(self, watchful: bool) -> None:
        for module in self.modules():
            module.watchful = watchful

    def buffers(self) -> dict[str, np.ndarray]:
        text = json.dumps(self.architecture, sort_keys=True)
        return {self.KEY: np.frombuffer(text.encode(), np.uint8).copy()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """As Module's. Raises ValueError too if the state is that of another architecture."""
        if self.KEY in state and (other := stored_architecture(state)) != self.architecture:
            raise ValueError(f"state: expected architecture {self.architecture}, given {other}")
        super().load_state_dict(state)


def stored_architecture(state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The settings of the model whose `state_dict` was `state`."""
    if Model.KEY not in state:
        raise ValueError(f"state: expected a name {Model.KEY!r}, given {sorted(state)}")
    return json.loads(np.asarray(state[Model.KEY], np.uint8).tobytes())
