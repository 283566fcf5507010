"""An exponential moving average of the weights: less noise than the last step's."""

from collections.abc import Mapping

import numpy as np

from numpy_nn.flat import FlatParameters
from numpy_nn.module import Module, load_arrays


class WeightAverage:
    """Keeps a <- d a + (1 - d) p for all parameters p and all float buffers (BatchNorm's moments).

    The average starts at the first weights, and would carry them along for 1 / (1 - decay) steps;
    hence the warm-up d = min(decay, (1 + t) / (10 + t)) at update t = 1, 2, ..., as TensorFlow's
    ExponentialMovingAverage has it. Polyak and Juditsky, Acceleration of Stochastic Approximation
    by Averaging, 1992; Tarvainen and Valpola, Mean teachers, NeurIPS 2017.

    `swap` exchanges the model's weights and the average, in place; a second one undoes it exactly.
    flat: the optimiser's `flat`, over the parameters of `model`.
    """

    def __init__(self, model: Module, flat: FlatParameters, decay: float):
        if not 0 <= decay < 1:
            raise ValueError(f"WeightAverage: expected a decay in [0, 1), found {decay}")
        self.decay, self.updates = float(decay), 0
        buffers = {k: a for k, a in model.named_buffers() if a.dtype.kind == "f"}
        self.live = {"parameters": flat.value, **buffers}
        self.average = {name: array.copy() for name, array in self.live.items()}
        self._scratch = {name: np.empty_like(array) for name, array in self.live.items()}

    def update(self) -> None:
        """Take the weights of now into the average: after every step of the optimiser."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, average in self.average.items():
            difference = np.subtract(self.live[name], average, out=self._scratch[name])
            difference *= 1 - decay
            average += difference

    def swap(self) -> None:
        """Exchange the model's weights and the average."""
        for name, live in self.live.items():
            kept = live.copy()
            live[...] = self.average[name]
            self.average[name][...] = kept

    def state_dict(self) -> dict[str, np.ndarray]:
        arrays = {name: array.copy() for name, array in self.average.items()}
        return {**arrays, "updates": np.array(self.updates, np.int64)}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Set the average, in place. Raises ValueError for other names or shapes."""
        updates = np.zeros((), np.int64)
        load_arrays("WeightAverage: state", {**self.average, "updates": updates}, state)
        self.updates = int(updates)
