"""The first layer of a model that takes raw inputs."""

import numpy as np

from numpy_nn.checks import check_input, refuse
from numpy_nn.module import Module, NonFiniteError


class Standardise(Module):
    """y = (x - mean) / std as float32.

    x (N, ...) of any real dtype (uint8, float16, float32), y (N, D) flattened: raw images go in as
    they are, so that a stored model holds its own preprocessing. One mean and one std for all
    features suits pixels, which share a scale; features=D keeps one of each per feature, which
    suits measurements of different kinds. `fit` takes both from the training split. A feature that
    never changes gets std 1. LeCun et al., Efficient BackProp, 1998, section 4.3. Inputs are not
    trained: backward is None.
    """

    kinds = "biuf"

    def __init__(self, features: int | None = None):
        self.moments = np.zeros((2,) if features is None else (2, features), np.float32)
        self.moments[1] = 1

    @property
    def per_feature(self) -> bool:
        return self.moments.ndim == 2

    def fit(self, x: np.ndarray, rows: int = 4096) -> "Standardise":
        """Set mean and std to those of x (N, ...), `rows` examples at a time; returns self.

        Raises NonFiniteError if x holds NaN or infinity.
        """
        check_input(self, x)
        flat = self._flat(x)
        axis = 0 if self.per_feature else None
        count = flat.size / self.moments[0].size
        parts = [flat[start : start + rows] for start in range(0, len(flat), rows)]
        mean = sum(part.sum(axis=axis, dtype=np.float64) for part in parts) / count
        # A second pass instead of E[x^2] - mean^2, which loses all digits where std << mean.
        square = sum(((part - mean) ** 2).sum(axis=axis) for part in parts) / count
        std = np.sqrt(square)
        if not (np.isfinite(mean).all() and np.isfinite(std).all()):
            raise NonFiniteError(f"{self!r}: expected finite examples, found NaN or infinity")
        self.moments[0], self.moments[1] = mean, np.where(std > 1e-6, std, 1.0)
        return self

    def buffers(self) -> dict[str, np.ndarray]:
        return {"moments": self.moments}

    def forward(self, x: np.ndarray) -> np.ndarray:
        flat = self._flat(x)
        mean, std = self.moments if self.per_feature else self.moments.tolist()
        y = flat.astype(np.float32)
        y *= 1 / std
        y -= mean / std
        return y

    def backward(self, grad_output: np.ndarray) -> None:
        return None

    def _flat(self, x: np.ndarray) -> np.ndarray:
        """x as (N, D)."""
        flat = x.reshape(len(x), -1)
        if self.per_feature and flat.shape[1] != self.moments.shape[1]:
            refuse(self, f"shape (N, {self.moments.shape[1]})", flat.shape)
        return flat

    def __repr__(self) -> str:
        features = f"{self.moments.shape[1]} features" if self.per_feature else ""
        return f"Standardise({features})"
