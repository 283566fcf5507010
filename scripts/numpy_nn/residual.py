"""The residual connection."""

import numpy as np

from numpy_nn.module import Module, Sequential


class Residual(Module):
    """y = x + f(x);  dL/dx = dL/dy + (dL/dy through f).  f keeps the shape.

    He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016, equation 1. Raises ValueError if f
    begins or ends with a layer that works in place: it would overwrite x, or dL/dy, which are still
    needed.
    """

    passes_on_non_finite = True

    def __init__(self, inner: Module):
        self.inner = inner
        for end in (0, -1):
            layer = inner
            while isinstance(layer, Sequential) and layer.layers:
                layer = layer.layers[end]
            if getattr(layer, "inplace", False):
                self._fail("no first or last layer with inplace=True", f"{layer!r}")

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        y = self.inner.forward(x)
        if y.shape != x.shape:
            self._fail(f"an inner module that keeps the shape {x.shape}", f"{y.shape}")
        return np.add(x, y, out=self._buffer("y", x.shape, x.dtype))

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        grad = self.inner.backward(grad_output)
        if grad is None:
            self._fail("an inner module that returns dL/dx", "None")
        grad_input = self._buffer("grad_input", grad.shape, grad.dtype)
        return np.add(grad_output, grad, out=grad_input)

    def __repr__(self) -> str:
        return f"Residual({self.inner!r})"
