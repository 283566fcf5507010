"""Layers without parameters for nets over tokens: x (N, T, C), T tokens, C channels.

Each moves numbers, so that its backward pass moves them back.
"""

import math

import numpy as np

from numpy_nn.module import Module


class Transpose(Module):
    """(N, T, C) -> (N, C, T), as a copy, which a matrix product along T needs; backward likewise.

    A Linear between two of these mixes tokens instead of channels.
    """

    passes_on_non_finite = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x, "(N, T, C)", x.ndim == 3)
        return self._swap("y", x)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        (count, tokens, channels), _ = self._received or ((0, 0, 0), None)
        self._check_gradient(grad_output, (count, channels, tokens))
        return self._swap("grad_input", grad_output)

    def _swap(self, role: str, x: np.ndarray) -> np.ndarray:
        n, rows, columns = x.shape
        swapped = self._buffer(role, (n, columns, rows), x.dtype)
        np.copyto(swapped, x.transpose(0, 2, 1))
        return swapped


class Flatten(Module):
    """(N, ...) -> (N, D), D the product of the other axes; backward restores the shape."""

    passes_on_non_finite = True
    hands_on = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x, fits=x.ndim > 1)
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        rows = getattr(self, "shape", (0, 0))
        self._check_gradient(grad_output, (rows[0], math.prod(rows[1:])))
        return grad_output.reshape(rows)
