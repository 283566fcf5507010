"""Normalisation layers: activations with mean 0 and variance 1, then a learned gain and shift.

Both share one derivation. With x^ = (x - mean) / std over m values and y = gain x^ + shift:

    g = dL/dy gain;   dL/dx = (g - mean(g) - x^ mean(g x^)) / std
    dL/dgain = sum_n dL/dy x^,   dL/dshift = sum_n dL/dy

where the means run over the values that were normalised together, since each of them moves mean
and std: as x_j grows, every x^_i falls by 1 / (m std) through the mean, and by x^_i x^_j / (m std)
through std, so that dx^_i/dx_j = ([i = j] - 1 / m - x^_i x^_j / m) / std; summed with g_i over i,
that is the line above.

The variance is the biased one (divided by m) plus eps. The gain is gamma in the papers and `weight`
in PyTorch, the shift is beta and `bias`.

x (..., D): every leading axis counts as examples, n = 1 .. N. Sums over rows or columns are written
as products with a vector, which BLAS does several times faster than np.sum.
"""

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.module import Module, Parameter


class _Normalisation(Module):
    """What both have: gain and shift, and what follows from y = gain x^ + shift."""

    shown = ("features",)
    # With fewer features there is nothing left after the mean is taken off.
    smallest_features = 1
    normalised: np.ndarray  # x^ of the last pass, (N, D)

    def __init__(self, features: int, eps: float = 1e-5):
        if features < self.smallest_features or not eps > 0:
            expected = f"at least {self.smallest_features} features and eps > 0"
            refuse(type(self).__name__, expected, f"{features} and {eps}")
        self.gain = Parameter(np.ones(features, np.float32), decay=False)
        self.shift = Parameter(np.zeros(features, np.float32), decay=False)
        self.features, self.eps = features, float(eps)
        self.axes = ("N", "...", features)

    def _parameter_grads(self, grad: np.ndarray) -> None:
        """Store dL/dgain and dL/dshift of dL/dy (N, D)."""
        ones = np.ones(len(grad), grad.dtype)
        np.matmul(ones, grad * self.normalised, out=self.gain.grad)
        np.matmul(ones, grad, out=self.shift.grad)


class BatchNorm(_Normalisation):
    """Each feature over all examples, while training; by running averages in evaluation.

    x (..., D), N >= 2 examples while training. Averages r <- (1 - momentum) r + momentum (batch's),
    where the variance is the unbiased one, as in PyTorch. Ioffe and Szegedy, Batch Normalization,
    ICML 2015, algorithms 1 and 2. In evaluation x^ does not depend on the batch: dL/dx =
    dL/dy gain / std.
    """

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5):
        super().__init__(features, eps)
        if not 0 <= momentum <= 1:
            refuse(self, "a momentum in [0, 1]", momentum)
        self.momentum = float(momentum)
        self.running_mean = np.zeros(features, np.float32)
        self.running_var = np.ones(features, np.float32)

    def buffers(self) -> dict[str, np.ndarray]:
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: np.ndarray) -> np.ndarray:
        rows = x.reshape(-1, self.features)  # (N, D)
        self.over_batch = self.training
        running = self.running_mean, self.running_var
        mean, var = self._batch_moments(rows) if self.over_batch else running
        self.inverse_std = 1 / np.sqrt(var + self.eps)
        self.normalised = (rows - mean) * self.inverse_std
        return (self.normalised * self.gain.value + self.shift.value).reshape(x.shape)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad = grad_output.reshape(-1, self.features)
        self._parameter_grads(grad)
        g = grad * self.gain.value
        if self.over_batch:  # mean(g) = gain dL/dshift / N,  mean(g x^) = gain dL/dgain / N
            gain = self.gain.value * (1 / len(grad))
            g -= gain * self.shift.grad
            g -= self.normalised * (gain * self.gain.grad)
        return (g * self.inverse_std).reshape(grad_output.shape)

    def _batch_moments(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance (D,) of a batch; the running averages move towards them."""
        count = len(rows)
        if count < 2:
            refuse(self, "at least 2 examples in training, since one has no variance", count)
        mean = _mean(rows)
        var = _mean((rows - mean) ** 2)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var * (count / (count - 1)) - self.running_var)
        return mean, var


class LayerNorm(_Normalisation):
    """Each example over its features: the same while training and in evaluation.

    x (..., D), D >= 2: a single feature is its own mean. Ba, Kiros and Hinton, Layer
    Normalization, arXiv:1607.06450, equation 4.
    """

    smallest_features = 2

    def forward(self, x: np.ndarray) -> np.ndarray:
        rows = x.reshape(-1, self.features)  # (N, D)
        centred = rows - _mean(rows.T)[:, None]
        var = _mean((centred**2).T)[:, None]
        self.inverse_std = 1 / np.sqrt(var + self.eps)
        self.normalised = centred * self.inverse_std
        return (self.normalised * self.gain.value + self.shift.value).reshape(x.shape)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad = grad_output.reshape(-1, self.features)
        self._parameter_grads(grad)
        g = grad * self.gain.value
        along = _mean((g * self.normalised).T)[:, None]
        g -= _mean(g.T)[:, None]
        g -= self.normalised * along
        return (g * self.inverse_std).reshape(grad_output.shape)


def _mean(rows: np.ndarray) -> np.ndarray:
    """The mean (D,) over the rows of (N, D)."""
    return np.full(len(rows), 1 / len(rows), rows.dtype) @ rows
