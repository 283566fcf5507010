"""The residual connection."""

import numpy as np

from numpy_nn.module import Module


class Residual(Module):
    """y = x + f(x);  dL/dx = dL/dy + (dL/dy through f).  f keeps the shape.

    He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016, equation 1.
    """

    def __init__(self, inner: Module):
        self.inner = inner

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = self.inner.forward(x)
        if y.shape != x.shape:
            self.refuse(f"an inner module that keeps the shape {x.shape}", f"{y.shape}")
        return x + y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad = self.inner.backward(grad_output)
        if grad is None:
            self.refuse("an inner module that returns dL/dx", "None")
        return grad_output + grad

    def __repr__(self) -> str:
        return f"Residual({self.inner!r})"
