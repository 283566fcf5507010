"""A model that knows how it was built: its state is enough to build it again."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpy_nn.dropout import Dropout
from numpy_nn.module import Module, NonFiniteError, Sequential, all_finite


class Model(Sequential):
    """Layers one after another, and `architecture`, the settings that a builder made them from.

    The settings are part of the state, as the bytes of a JSON text (uint8, so that a stored model
    holds nothing but numbers): {"kind": "mlp" or "token_mixer", ...the builder's
    arguments}.

    Layers that pass on NaN and infinity do not look for them, which would cost a step some percent:
    what is not finite reaches the output, and then they look, on the same masks.
    """

    KEY = "architecture"

    def __init__(self, architecture: Mapping[str, Any], *layers: Module):
        super().__init__(*layers)
        self.architecture = dict(architecture)
        self._watch(False)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Raises NonFiniteError, which names the first layer that was given what is not finite.

        An output that is not finite, of layers whose inputs were, is returned.
        """
        # Overflow needs no warning: what comes of it is looked for.
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                y = super().forward(x)
                if all_finite(y):
                    return y
            except NonFiniteError:
                pass  # from a layer that noticed; it need not be the first
            return self._look_again(x)

    def _look_again(self, x: np.ndarray) -> np.ndarray:
        """The same pass, every layer watchful. It draws no mask and leaves the buffers alone."""
        masks = [module for module in self.modules() if isinstance(module, Dropout)]
        frozen = [module.frozen for module in masks]
        kept = {name: array.copy() for name, array in self.named_buffers()}
        self._watch(True)
        for module in masks:
            module.frozen = True
        try:
            for index, layer in enumerate(self.layers):
                try:
                    x = layer.forward(x)
                except NonFiniteError as error:
                    before = f", behind {self.layers[index - 1]!r}" if index else ""
                    raise NonFiniteError(f"{error} (layers.{index}{before})") from None
            return x
        finally:
            self._watch(False)
            for module, was in zip(masks, frozen, strict=True):
                module.frozen = was
            for name, array in self.named_buffers():
                if name != self.KEY:  # made anew at each call
                    array[...] = kept[name]

    def _watch(self, watchful: bool) -> None:
        for module in self.modules():
            if module is not self:
                module.watchful = watchful or not module.passes_on_non_finite

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
