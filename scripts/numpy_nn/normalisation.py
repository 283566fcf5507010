"""Normalisation layers: activations with mean 0 and variance 1, then a learned gain and shift.

Both share one derivation. With x^ = (x - mean) / std over m values and y = gain x^ + shift:

    g = dL/dy gain;   dL/dx = (g - mean(g) - x^ mean(g x^)) / std
    dL/dgain = sum_n dL/dy x^,   dL/dshift = sum_n dL/dy

where the means run over the values that were normalised together, since each of them moves mean
and std. The variance is the biased one (divided by m) plus eps.
"""

import numpy as np

from numpy_nn.module import Module, Parameter


class BatchNorm(Module):
    """Each feature over the batch, while training; by running averages in evaluation.

    x (N, D), N >= 2 while training. Averages r <- (1 - momentum) r + momentum (batch's), where the
    variance is the unbiased one, as in PyTorch. Ioffe and Szegedy, Batch Normalization, ICML 2015,
    algorithms 1 and 2. In evaluation x^ does not depend on the batch: dL/dx = dL/dy gain / std.
    """

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5):
        self.gain = Parameter(np.ones(features, np.float32), decay=False)
        self.shift = Parameter(np.zeros(features, np.float32), decay=False)
        self.momentum, self.eps = momentum, eps
        self.running_mean = np.zeros(features, np.float32)
        self.running_var = np.ones(features, np.float32)

    def buffers(self) -> dict[str, np.ndarray]:
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: np.ndarray) -> np.ndarray:
        smallest = 2 if self.training else 1
        if x.ndim != 2 or x.shape[1] != len(self.gain.value) or len(x) < smallest:
            self._fail(f"shape (N, {len(self.gain.value)}), N >= {smallest}", f"{x.shape}")
        self.over_batch = self.training
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.running_mean += self.momentum * (mean - self.running_mean)
            unbiased = var * (len(x) / (len(x) - 1))
            self.running_var += self.momentum * (unbiased - self.running_var)
        else:
            mean, var = self.running_mean.astype(x.dtype), self.running_var.astype(x.dtype)
        self.std = np.sqrt(var + self.eps)
        self.normalised = (x - mean) / self.std
        return self.normalised * self.gain.value + self.shift.value

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self.gain.grad[...] = (grad_output * self.normalised).sum(axis=0)
        self.shift.grad[...] = grad_output.sum(axis=0)
        grad = grad_output * self.gain.value
        if self.over_batch:
            along = (grad * self.normalised).mean(axis=0)
            grad = grad - grad.mean(axis=0) - self.normalised * along
        return grad / self.std

    def __repr__(self) -> str:
        return f"BatchNorm({len(self.gain.value)})"


class LayerNorm(Module):
    """Each example over its features: the same while training and in evaluation.

    x (N, D), D >= 2. Ba, Kiros and Hinton, Layer Normalization, arXiv:1607.06450, equation 4.
    """

    def __init__(self, features: int, eps: float = 1e-5):
        self.gain = Parameter(np.ones(features, np.float32), decay=False)
        self.shift = Parameter(np.zeros(features, np.float32), decay=False)
        self.eps = eps

    def forward(self, x: np.ndarray) -> np.ndarray:
        if x.ndim != 2 or x.shape[1] != len(self.gain.value) or len(x) == 0:
            self._fail(f"shape (N, {len(self.gain.value)}), N >= 1", f"{x.shape}")
        self.std = np.sqrt(x.var(axis=1, keepdims=True) + self.eps)
        self.normalised = (x - x.mean(axis=1, keepdims=True)) / self.std
        return self.normalised * self.gain.value + self.shift.value

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self.gain.grad[...] = (grad_output * self.normalised).sum(axis=0)
        self.shift.grad[...] = grad_output.sum(axis=0)
        grad = grad_output * self.gain.value
        along = (grad * self.normalised).mean(axis=1, keepdims=True)
        return (grad - grad.mean(axis=1, keepdims=True) - self.normalised * along) / self.std

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.gain.value)})"
