"""Losses: one number that says how wrong the outputs are, and its gradient.

`forward(outputs, targets)` returns the mean over the batch as a Python float; `backward()` returns
its gradient with respect to the outputs, which is where the model's backward pass begins.
"""

import numpy as np

from numpy_nn.module import Module, NonFiniteError


class SoftmaxCrossEntropy(Module):
    """Softmax and cross-entropy in one: z (N, K) logits, labels (N,) integers in [0, K).

        p_k = exp(z_k) / sum_j exp(z_j),   L = -1/N sum_n sum_k t_nk log p_nk
        log p_k = z_k - log sum_j exp(z_j),  so that  dL/dz = (p - t) / N

    t is 1 at the label and 0 elsewhere; it is never built. With label smoothing s it is 1 - s at
    the label plus s / K everywhere (Szegedy et al., Rethinking the Inception Architecture, CVPR
    2016, section 7). Targets may also be a float array (N, K) whose rows are distributions. The
    largest logit is subtracted first: that changes nothing and keeps exp from overflowing.
    """

    def __init__(self, label_smoothing: float = 0.0):
        if not 0 <= label_smoothing < 1:
            self._fail("label smoothing in [0, 1)", f"{label_smoothing}")
        self.label_smoothing = label_smoothing

    def forward(self, logits: np.ndarray, targets: np.ndarray) -> float:
        self._check(logits, targets)
        size, classes = logits.shape
        smoothing = self.label_smoothing
        log_p = self._buffer("log_p", logits.shape, logits.dtype)
        p = self._buffer("p", logits.shape, logits.dtype)
        np.subtract(logits, logits.max(axis=1, keepdims=True), out=log_p)
        np.exp(log_p, out=p)
        total = p.sum(axis=1, keepdims=True)
        log_p -= np.log(total)
        p /= total
        self.p, self.targets, self.log_p = p, targets, log_p
        if targets.ndim == 2:
            likelihood = float(np.vdot(targets, log_p))
        else:
            likelihood = float(log_p[np.arange(size), targets].sum())
        if smoothing:
            likelihood = (1 - smoothing) * likelihood + smoothing / classes * float(log_p.sum())
        return -likelihood / size

    def backward(self) -> np.ndarray:
        size, classes = self.p.shape
        smoothing = self.label_smoothing
        grad = self._buffer("grad", self.p.shape, self.p.dtype)
        np.subtract(self.p, smoothing / classes, out=grad)
        if self.targets.ndim == 2:
            grad -= (1 - smoothing) * self.targets
        else:
            grad[np.arange(size), self.targets] -= 1 - smoothing
        grad /= size
        return grad

    def _check(self, logits: np.ndarray, targets: np.ndarray) -> None:
        if logits.ndim != 2 or 0 in logits.shape:
            self._fail("logits (N, K) with N, K >= 1", f"{logits.shape}")
        size, classes = logits.shape
        if not np.isfinite(logits).all():
            raise NonFiniteError(f"{self!r}: expected finite logits, given NaN or infinity")
        if targets.ndim == 2:
            if targets.shape != logits.shape or targets.dtype != logits.dtype:
                self._fail(
                    f"soft targets {logits.shape} {logits.dtype}",
                    f"{targets.shape} {targets.dtype}",
                )
        elif targets.shape != (size,) or targets.dtype.kind not in "iu":
            self._fail(f"integer labels of shape ({size},)", f"{targets.dtype} {targets.shape}")
        elif targets.min() < 0 or targets.max() >= classes:
            self._fail(f"labels in [0, {classes})", f"{targets.min()} to {targets.max()}")


class MeanSquaredError(Module):
    """L = mean over all elements of (y - t)^2;  dL/dy = 2 (y - t) / (number of elements).

    y and t: one shape, one dtype.
    """

    def forward(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        if outputs.shape != targets.shape or outputs.size == 0:
            self._fail(f"targets of the outputs' shape {outputs.shape}", f"{targets.shape}")
        if targets.dtype != outputs.dtype:
            self._fail(f"targets {outputs.dtype}", f"{targets.dtype}")
        if not (np.isfinite(outputs).all() and np.isfinite(targets).all()):
            raise NonFiniteError(f"{self!r}: expected finite values, given NaN or infinity")
        difference = self._buffer("difference", outputs.shape, outputs.dtype)
        self.difference = np.subtract(outputs, targets, out=difference)
        return float(np.vdot(difference, difference)) / difference.size

    def backward(self) -> np.ndarray:
        grad = self._buffer("grad", self.difference.shape, self.difference.dtype)
        return np.multiply(self.difference, 2 / self.difference.size, out=grad)
