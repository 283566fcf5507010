"""The first layer of a model that takes raw pixels."""

import numpy as np

from numpy_nn.module import Module


class Standardise(Module):
    """y = (x - mean) / std as float32, with one mean and one std for all features.

    x (N, ...) of any real dtype, y (N, D) flattened: uint8 images go in as they are, so that a
    stored model holds its own preprocessing. `fit` takes both numbers from the training split.
    LeCun et al., Efficient BackProp, 1998, section 4.3. Inputs are not trained: backward is None.
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0):
        self.moments = np.array([mean, std], np.float32)

    def fit(self, x: np.ndarray) -> "Standardise":
        """Set mean and std to those of x; returns self."""
        if x.size == 0:
            self._fail("at least one example", f"{x.shape}")
        self.moments[:] = x.mean(dtype=np.float64), max(x.std(dtype=np.float64), 1e-6)
        return self

    def buffers(self) -> dict[str, np.ndarray]:
        return {"moments": self.moments}

    def forward(self, x: np.ndarray) -> np.ndarray:
        flat = x.reshape(len(x), -1)
        mean, std = map(float, self.moments)
        y = self._buffer("y", flat.shape, np.float32)
        np.multiply(flat, 1 / std, out=y, dtype=np.float32, casting="same_kind")
        y -= mean / std
        return y

    def backward(self, grad_output: np.ndarray) -> None:
        return None
