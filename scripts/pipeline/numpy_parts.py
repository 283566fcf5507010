"""The state of a training in NumPy, for the checkpoint of a TrainingRun."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class Part(Protocol):
    """A model or an optimiser of numpy_nn."""

    def state_dict(self) -> dict[str, np.ndarray]: ...

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None: ...


class NumpyParts:
    """What a training changes, as pipeline.weights.TorchParts is for PyTorch.

    parts = NumpyParts(model=model, optimiser=optimiser)
    """

    def __init__(self, **parts: Part):
        self.parts = parts

    def state(self) -> tuple[dict[str, np.ndarray], None]:
        """Copies of all arrays, named part.array."""
        states = {name: part.state_dict() for name, part in self.parts.items()}
        arrays = {f"{name}.{key}": a for name, state in states.items() for key, a in state.items()}
        return arrays, None

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: None = None) -> None:
        """Set all parts, in place, to what `state` returned."""
        for name, part in self.parts.items():
            names = {key: key.removeprefix(f"{name}.") for key in arrays}
            part.load_state_dict({new: arrays[key] for key, new in names.items() if new != key})
