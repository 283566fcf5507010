"""Layers without parameters for nets over tokens: x (N, T, C), T tokens, C channels.

Each moves numbers, so that its backward pass moves them back.
"""

import numpy as np

from numpy_nn.module import Module


class Transpose(Module):
    """(N, T, C) -> (N, C, T), as a copy, which a matrix product along T needs; backward likewise.

    A Linear between two of these mixes tokens instead of channels.
    """

    axes = ("N", "T", "C")

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(x.transpose(0, 2, 1))

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(grad_output.transpose(0, 2, 1))


class Flatten(Module):
    """(N, ...) -> (N, D), D the product of the other axes; backward restores the shape."""

    axes = ("N", "D", "...")

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output.reshape(self.shape)
