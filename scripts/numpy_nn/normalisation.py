"""Normalisation layers: activations with mean 0 and variance 1, then a learned gain and shift.

Both share one derivation. With x^ = (x - mean) / std over m values and y = gain x^ + shift:

    g = dL/dy gain;   dL/dx = (g - mean(g) - x^ mean(g x^)) / std
    dL/dgain = sum_n dL/dy x^,   dL/dshift = sum_n dL/dy

where the means run over the values that were normalised together, since each of them moves mean
and std: as x_j grows, every x^_i falls by 1 / (m std) through the mean, and by x^_i x^_j / (m std)
through std, so that dx^_i/dx_j = ([i = j] - 1 / m - x^_i x^_j / m) / std; summed with g_i over i,
that is the line above. What BatchNorm computes is, without the reuse of memory,

    dx = (g - g.mean(axis=0) - normalised * (g * normalised).mean(axis=0)) / std

The variance is the biased one (divided by m) plus eps. The gain is gamma in the papers and `weight`
in PyTorch, the shift is beta and `bias`.

x (..., D): every leading axis counts as examples, n = 1 .. N. Sums over rows or columns are written
as products with a vector, which BLAS does several times faster than np.sum.
"""

import numpy as np

from numpy_nn.module import Module, NonFiniteError, Parameter


class _Normalisation(Module):
    """What both have: gain and shift, the check of the shape, the flattening to (N, D)."""

    passes_on_non_finite = True

    # With fewer features there is nothing left after the mean is taken off.
    smallest_features = 1

    def __init__(self, features: int, eps: float):
        if features < self.smallest_features or not eps > 0:
            self._fail(f"at least {self.smallest_features} features, eps > 0", f"{features}, {eps}")
        self.gain = Parameter(np.ones(features, np.float32), decay=False)
        self.shift = Parameter(np.zeros(features, np.float32), decay=False)
        self.eps = float(eps)

    def _rows(self, x: np.ndarray) -> np.ndarray:
        features = len(self.gain.value)
        self._receive(x, f"(N, ..., {features})", x.ndim > 1 and x.shape[-1] == features)
        if x.dtype != self.gain.value.dtype:
            self._fail(f"{self.gain.value.dtype}", f"{x.dtype}")
        return x.reshape(-1, features)

    def _check_finite(self, variance: np.ndarray) -> None:
        if not np.isfinite(variance).all():
            raise NonFiniteError(
                f"{self!r}: expected input of a finite variance, given NaN, infinity or numbers"
                " whose squares overflow"
            )

    def _scale_and_shift(self, normalised: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """gain x^ + shift, in the input's shape."""
        self.normalised = normalised
        y = np.multiply(
            normalised, self.gain.value, out=self._buffer("y", normalised.shape, normalised.dtype)
        )
        y += self.shift.value
        return y.reshape(shape)

    def _grad_rows(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        return grad_output.reshape(self.normalised.shape)

    def _parameter_grads(self, grad: np.ndarray) -> np.ndarray:
        """Store dL/dgain and dL/dshift; return dL/dx^ = dL/dy gain, in memory of this layer."""
        scratch = self._buffer("scratch", grad.shape, grad.dtype)
        np.multiply(grad, self.normalised, out=scratch)
        ones = np.ones(len(grad), grad.dtype)
        np.matmul(ones, scratch, out=self.gain.grad)
        np.matmul(ones, grad, out=self.shift.grad)
        return np.multiply(
            grad, self.gain.value, out=self._buffer("grad_input", grad.shape, grad.dtype)
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.gain.value) if 'gain' in vars(self) else ''})"


class BatchNorm(_Normalisation):
    """Each feature over all examples, while training; by running averages in evaluation.

    x (..., D), N >= 2 examples while training. Averages r <- (1 - momentum) r + momentum (batch's),
    where the variance is the unbiased one, as in PyTorch. Ioffe and Szegedy, Batch Normalization,
    ICML 2015, algorithms 1 and 2. In evaluation x^ does not depend on the batch: dL/dx =
    dL/dy gain / std.
    """

    smallest_batch = 2

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5):
        super().__init__(features, eps)
        if not 0 <= momentum <= 1:
            self._fail("a momentum in [0, 1]", f"{momentum}")
        self.momentum = float(momentum)
        self.running_mean = np.zeros(features, np.float32)
        self.running_var = np.ones(features, np.float32)

    def buffers(self) -> dict[str, np.ndarray]:
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: np.ndarray) -> np.ndarray:
        rows = self._rows(x)
        count = len(rows)
        if self.training and count < 2:
            self._fail("at least 2 examples in training, since one has no variance", f"{x.shape}")
        self.over_batch = self.training
        normalised = self._buffer("normalised", rows.shape, x.dtype)
        if self.training:
            weights = np.full(count, 1 / count, x.dtype)
            square = self._buffer("scratch", rows.shape, x.dtype)
            with np.errstate(over="ignore", invalid="ignore"):
                mean = weights @ rows
                np.subtract(rows, mean, out=normalised)
                var = weights @ np.multiply(normalised, normalised, out=square)
            self._check_finite(var)
            self.running_mean += self.momentum * (mean - self.running_mean)
            unbiased = var * (count / (count - 1))
            self.running_var += self.momentum * (unbiased - self.running_var)
        else:
            mean, var = self.running_mean.astype(x.dtype), self.running_var.astype(x.dtype)
            np.subtract(rows, mean, out=normalised)
        self.inverse_std = 1 / np.sqrt(var + self.eps)
        normalised *= self.inverse_std
        return self._scale_and_shift(normalised, x.shape)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        rows = self._grad_rows(grad_output)
        grad = self._parameter_grads(rows)
        if self.over_batch:
            # g = dL/dy gain, and both sums over the examples are there already:
            # mean(g) = gain sum(dL/dy) / N = gain shift.grad / N,
            # mean(g x^) = gain sum(dL/dy x^) / N = gain gain.grad / N.
            scale = self.gain.value * (1 / len(rows))
            grad -= scale * self.shift.grad
            scratch = self._buffer("scratch", rows.shape, rows.dtype)
            grad -= np.multiply(self.normalised, scale * self.gain.grad, out=scratch)
        grad *= self.inverse_std
        return grad.reshape(grad_output.shape)


class LayerNorm(_Normalisation):
    """Each example over its features: the same while training and in evaluation.

    x (..., D), D >= 2: a single feature is its own mean. Ba, Kiros and Hinton, Layer
    Normalization, arXiv:1607.06450, equation 4.
    """

    smallest_features = 2

    def __init__(self, features: int, eps: float = 1e-5):
        super().__init__(features, eps)

    def forward(self, x: np.ndarray) -> np.ndarray:
        rows = self._rows(x)
        weights = self._weights(x.dtype)
        normalised = self._buffer("normalised", rows.shape, x.dtype)
        square = self._buffer("scratch", rows.shape, x.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            np.subtract(rows, (rows @ weights)[:, None], out=normalised)
            var = np.multiply(normalised, normalised, out=square) @ weights
        self._check_finite(var)
        self.inverse_std = (1 / np.sqrt(var + self.eps))[:, None]
        normalised *= self.inverse_std
        return self._scale_and_shift(normalised, x.shape)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        rows = self._grad_rows(grad_output)
        weights = self._weights(rows.dtype)
        grad = self._parameter_grads(rows)
        scratch = self._buffer("scratch", rows.shape, rows.dtype)
        along = np.multiply(grad, self.normalised, out=scratch) @ weights
        grad -= (grad @ weights)[:, None]
        grad -= np.multiply(self.normalised, along[:, None], out=scratch)
        grad *= self.inverse_std
        return grad.reshape(grad_output.shape)

    def _weights(self, dtype: type) -> np.ndarray:
        """(D,), 1 / D each: a product with it is the mean of every row."""
        return np.full(len(self.gain.value), 1 / len(self.gain.value), dtype)
