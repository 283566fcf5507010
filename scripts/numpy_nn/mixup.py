"""Mixup: train on points between two examples, with the labels in the same proportion."""

import numpy as np


class Mixup:
    """x' = l x_i + (1 - l) x_j,  t' = l t_i + (1 - l) t_j,  one l ~ Beta(alpha, alpha) a batch.

    The partners j are a random permutation of the batch; t are one-hot rows, the only place where
    they are built. Zhang, Cisse, Dauphin and Lopez-Paz, mixup, ICLR 2018, equation 1, figure 1a.
    """

    def __init__(self, alpha: float, classes: int):
        if not alpha > 0 or classes < 2:
            raise ValueError(f"Mixup: expected alpha > 0, classes >= 2, found {alpha}, {classes}")
        self.alpha, self.classes = alpha, classes

    def __call__(
        self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """x (N, ...) of any real dtype, labels y (N,) -> x' (N, ...), t' (N, K), both float32."""
        if len(x) == 0 or y.shape != (len(x),) or y.dtype.kind not in "iu":
            raise ValueError(
                f"Mixup: expected N >= 1 examples and integer labels ({len(x)},),"
                f" found {x.shape} and {y.dtype} {y.shape}"
            )
        if y.min() < 0 or y.max() >= self.classes:
            raise ValueError(
                f"Mixup: expected labels in [0, {self.classes}), found {y.min()} to {y.max()}"
            )
        share = float(rng.beta(self.alpha, self.alpha))
        partner = rng.permutation(len(x))
        mixed = share * x.astype(np.float32)
        mixed += (1 - share) * x[partner].astype(np.float32, copy=False)
        targets = np.zeros((len(y), self.classes), np.float32)
        rows = np.arange(len(y))
        targets[rows, y] = share
        targets[rows, y[partner]] += 1 - share
        return mixed, targets
