"""Mixup: train on points between two examples, with the labels in the same proportion."""

import numpy as np

from numpy_nn.checks import check_labels, refuse


class Mixup:
    """x' = l x_i + (1 - l) x_j,  t' = l t_i + (1 - l) t_j,  one l ~ Beta(alpha, alpha) a batch.

    The partners j are a random permutation of the batch; t are one-hot rows, the only place where
    they are built. Zhang, Cisse, Dauphin and Lopez-Paz, mixup, ICLR 2018, equation 1, figure 1a.
    """

    def __init__(self, alpha: float, classes: int):
        if not alpha > 0 or classes < 2:
            refuse("Mixup", "alpha > 0, classes >= 2", f"{alpha}, {classes}")
        self.alpha, self.classes = alpha, classes

    def __call__(
        self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """x (N, ...) of any real dtype, labels y (N,) -> x' (N, ...), t' (N, K), both float32."""
        check_labels("Mixup", y, len(x), self.classes)
        share = float(rng.beta(self.alpha, self.alpha))
        partner = rng.permutation(len(x))
        mixed = share * x.astype(np.float32)
        mixed += (1 - share) * x[partner].astype(np.float32, copy=False)
        targets = np.zeros((len(y), self.classes), np.float32)
        rows = np.arange(len(y))
        targets[rows, y] = share
        targets[rows, y[partner]] += 1 - share
        return mixed, targets
