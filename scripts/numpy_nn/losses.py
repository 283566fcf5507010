"""Losses: one number that says how wrong the outputs are, and its gradient.

`loss(outputs, targets)` returns the mean over the batch as a Python float; `loss.backward()`
returns its gradient with respect to the outputs, which is where the model's backward pass begins.
"""

import numpy as np

from numpy_nn.checks import check_labels, refuse


class Loss:
    """Base of the losses: `forward`, which checks what it is given, and `backward`."""

    def forward(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        raise NotImplementedError

    def backward(self) -> np.ndarray:
        raise NotImplementedError

    def __call__(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        return self.forward(outputs, targets)

    def _check(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        """Refuse what is no array, and outputs that are empty or no floating-point numbers."""
        for name, found in (("outputs", outputs), ("targets", targets)):
            if not isinstance(found, np.ndarray):
                refuse(self, f"{name} in a NumPy array", type(found).__name__)
        if outputs.size == 0 or outputs.dtype.kind != "f":
            refuse(self, "at least one output, floating-point", f"{outputs.shape} {outputs.dtype}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


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
            refuse(self, "label smoothing in [0, 1)", label_smoothing)
        self.label_smoothing = float(label_smoothing)

    def forward(self, logits: np.ndarray, targets: np.ndarray) -> float:
        self._check(logits, targets)
        size, classes = logits.shape
        # Class by class, (K, N): sums over few classes are then a few long additions.
        z = logits.T.copy()
        z -= z.max(axis=0)
        self.p, self.targets = np.exp(z), targets
        total = self.p.sum(axis=0)
        self.p /= total
        log_total = np.log(total)
        # sum_nk t_nk log p_nk, with log p = z - log_total
        if targets.ndim == 2:
            likelihood = float(np.vdot(targets, z.T) - np.vdot(targets.sum(axis=1), log_total))
        else:
            likelihood = float(z[targets, np.arange(size)].sum() - log_total.sum())
        if smoothing := self.label_smoothing:
            all_classes = float(z.sum() - classes * log_total.sum())
            likelihood = (1 - smoothing) * likelihood + smoothing / classes * all_classes
        return -likelihood / size

    def backward(self) -> np.ndarray:
        """dL/dz (N, K): a transposed view, which a matrix product reads as easily."""
        if "p" not in vars(self):
            refuse(self, "forward before backward", "none")
        classes, size = self.p.shape
        smoothing = self.label_smoothing
        grad = self.p * (1 / size)
        if smoothing:
            grad -= smoothing / (classes * size)
        if self.targets.ndim == 2:
            grad -= ((1 - smoothing) / size) * self.targets.T
        else:
            grad[self.targets, np.arange(size)] -= (1 - smoothing) / size
        return grad.T

    def _check(self, logits: np.ndarray, targets: np.ndarray) -> None:
        super()._check(logits, targets)
        if logits.ndim != 2:
            refuse(self, "logits (N, K)", logits.shape)
        if targets.ndim != 2:
            check_labels(self, targets, *logits.shape)
            return
        if targets.shape != logits.shape or targets.dtype != logits.dtype:
            expected = f"soft targets {logits.shape} {logits.dtype}"
            refuse(self, expected, f"{targets.shape} {targets.dtype}")
        least, sums = targets.min(), targets.sum(axis=1)
        if not (least >= 0 and np.abs(sums - 1).max() < 1e-3):
            found = f"a least target of {least} and sums from {sums.min()} to {sums.max()}"
            refuse(self, "distributions: no target below 0, each row of sum 1", found)


class MeanSquaredError(Loss):
    """L = mean over all elements of (y - t)^2;  dL/dy = 2 (y - t) / (number of elements).

    y and t: one shape, one dtype.
    """

    def forward(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        self._check(outputs, targets)
        if targets.shape != outputs.shape or targets.dtype != outputs.dtype:
            expected = f"targets {outputs.shape} {outputs.dtype}"
            refuse(self, expected, f"{targets.shape} {targets.dtype}")
        self.difference = outputs - targets
        return float(np.vdot(self.difference, self.difference)) / self.difference.size

    def backward(self) -> np.ndarray:
        if "difference" not in vars(self):
            refuse(self, "forward before backward", "none")
        return self.difference * (2 / self.difference.size)
