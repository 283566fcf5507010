"""Losses: one number that says how wrong the outputs are, and its gradient.

`forward(outputs, targets)` returns the mean over the batch as a Python float; `backward()` returns
its gradient with respect to the outputs, which is where the model's backward pass begins.
"""

import numpy as np

from numpy_nn.module import Module, NonFiniteError, all_finite


class Loss(Module):
    """Base of the losses: `loss(outputs, targets)` is `forward`, for use by hand."""

    def forward(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        raise NotImplementedError

    def backward(self) -> np.ndarray:
        raise NotImplementedError

    def __call__(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        for name, given in (("outputs", outputs), ("targets", targets)):
            if not isinstance(given, np.ndarray):
                self._fail(f"{name} in a NumPy array", type(given).__name__)
        return self.forward(outputs, targets)


class SoftmaxCrossEntropy(Loss):
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
        self.label_smoothing = float(label_smoothing)
        self._examples = np.arange(0)

    def forward(self, logits: np.ndarray, targets: np.ndarray) -> float:
        self._check(logits, targets)
        size, classes = logits.shape
        smoothing = self.label_smoothing
        # Class by class (K, N) in memory: sums over few classes are then a few long additions.
        z = self._buffer("z", (classes, size), logits.dtype)
        p = self._buffer("p", z.shape, z.dtype)
        np.copyto(z, logits.T)
        z -= np.maximum.reduce(z, axis=0)
        np.exp(z, out=p)
        total = np.add.reduce(p, axis=0)
        p /= total
        log_total = np.log(total, out=total)
        self.p, self.targets = p, targets
        # sum_nk t_nk log p_nk, with log p = z - log_total
        if targets.ndim == 2:
            likelihood = float(np.vdot(targets, z.T) - np.vdot(targets.sum(axis=1), log_total))
        else:
            if len(self._examples) != size:
                self._examples = np.arange(size)
            self.at_label = targets, self._examples
            likelihood = float(np.add.reduce(z[self.at_label]) - np.add.reduce(log_total))
        if smoothing:
            all_classes = float(z.sum() - classes * log_total.sum())
            likelihood = (1 - smoothing) * likelihood + smoothing / classes * all_classes
        return -likelihood / size

    def backward(self) -> np.ndarray:
        """dL/dz (N, K): a transposed view, which a matrix product reads as easily."""
        if "p" not in vars(self):
            self._fail("forward before backward", "none")
        classes, size = self.p.shape
        smoothing = self.label_smoothing
        grad = self._buffer("grad", self.p.shape, self.p.dtype)
        np.multiply(self.p, 1 / size, out=grad)
        if smoothing:
            grad -= smoothing / (classes * size)
        if self.targets.ndim == 2:
            grad -= ((1 - smoothing) / size) * self.targets.T
        else:
            grad[self.at_label] -= (1 - smoothing) / size
        return grad.T

    def _check(self, logits: np.ndarray, targets: np.ndarray) -> None:
        if logits.ndim != 2 or 0 in logits.shape or logits.dtype.kind != "f":
            self._fail(
                "logits (N, K) with N, K >= 1, floating-point", f"{logits.shape} {logits.dtype}"
            )
        size, classes = logits.shape
        if not all_finite(logits):
            raise NonFiniteError(f"{self!r}: expected finite logits, given NaN or infinity")
        if targets.ndim == 2:
            if targets.shape != logits.shape or targets.dtype != logits.dtype:
                self._fail(
                    f"soft targets {logits.shape} {logits.dtype}",
                    f"{targets.shape} {targets.dtype}",
                )
            sums = targets.sum(axis=1)
            if not (targets.min() >= 0 and np.abs(sums - 1).max() < 1e-3):
                self._fail(
                    "soft targets that are distributions: none below 0, each row of sum 1",
                    f"a least target of {targets.min()} and sums from {sums.min()} to {sums.max()}",
                )
        elif targets.shape != (size,) or targets.dtype.kind not in "iu":
            self._fail(f"integer labels of shape ({size},)", f"{targets.dtype} {targets.shape}")
        elif np.minimum.reduce(targets) < 0 or np.maximum.reduce(targets) >= classes:
            self._fail(f"labels in [0, {classes})", f"{targets.min()} to {targets.max()}")


class MeanSquaredError(Loss):
    """L = mean over all elements of (y - t)^2;  dL/dy = 2 (y - t) / (number of elements).

    y and t: one shape, one dtype.
    """

    def forward(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        if outputs.shape != targets.shape or outputs.size == 0:
            self._fail(
                f"at least one output and targets of the outputs' shape {outputs.shape}",
                f"{targets.shape}",
            )
        if outputs.dtype.kind != "f":
            self._fail("floating-point outputs", f"{outputs.dtype}")
        if targets.dtype != outputs.dtype:
            self._fail(f"targets {outputs.dtype}", f"{targets.dtype}")
        if not (np.isfinite(outputs).all() and np.isfinite(targets).all()):
            raise NonFiniteError(f"{self!r}: expected finite values, given NaN or infinity")
        difference = self._buffer("difference", outputs.shape, outputs.dtype)
        self.difference = np.subtract(outputs, targets, out=difference)
        return float(np.vdot(difference, difference)) / difference.size

    def backward(self) -> np.ndarray:
        if "difference" not in vars(self):
            self._fail("forward before backward", "none")
        grad = self._buffer("grad", self.difference.shape, self.difference.dtype)
        return np.multiply(self.difference, 2 / self.difference.size, out=grad)
