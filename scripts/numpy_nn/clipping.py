"""Gradient clipping: no single batch may throw the weights far away."""

import math

import numpy as np


def clip_norm(grad: np.ndarray, limit: float) -> float:
    """Scale all gradients, grad (P,), in place, so that their common norm is at most `limit`.

        norm = sqrt(sum_i g_i^2);   g <- g min(1, limit / norm)

    which keeps the direction. Returns the norm before clipping; one that is NaN or infinite leaves
    the gradients alone. Raises ValueError for a limit that is not positive. Pascanu, Mikolov and
    Bengio, On the difficulty of training recurrent neural networks, ICML 2013, algorithm 1.
    """
    if not limit > 0:
        raise ValueError(f"clip_norm: expected a limit above 0, found {limit}")
    with np.errstate(over="ignore", invalid="ignore"):
        norm = math.sqrt(np.vdot(grad, grad))
    if not math.isfinite(norm):
        # Squares of float32 overflow from 1e19 on; the gradients themselves may still be finite.
        norm = float(np.linalg.norm(grad.astype(np.float64)))
    if limit < norm < math.inf:
        grad *= limit / norm
    return norm
