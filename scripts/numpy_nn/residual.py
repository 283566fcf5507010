"""The residual connection."""

from collections.abc import Iterator

import numpy as np

from numpy_nn.module import Module, Sequential


def _chain(module: Module) -> Iterator[Module]:
    """The layers of nested Sequentials, in order."""
    if isinstance(module, Sequential):
        for layer in module.layers:
            yield from _chain(layer)
    else:
        yield module


class Residual(Module):
    """y = x + f(x);  dL/dx = dL/dy + (dL/dy through f).  f keeps the shape.

    He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016, equation 1. Raises ValueError if f
    begins or ends with a layer that works in place: it would overwrite x, or dL/dy, which are still
    needed.
    """

    passes_on_non_finite = True

    def __init__(self, inner: Module):
        self.inner = inner
        # As Sequential says: they may have been a Model's.
        for module in self.modules():
            module.watchful = True
        chain = list(_chain(inner))
        for layers in (chain, chain[::-1]):
            for layer in layers:
                if getattr(layer, "inplace", False):
                    self._fail("no first or last layer with inplace=True", f"{layer!r}")
                if not layer.hands_on:
                    break

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
