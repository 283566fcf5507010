"""The fully connected layer."""

from collections.abc import Callable

import numpy as np

from numpy_nn.initialisers import he_normal
from numpy_nn.module import Module, NonFiniteError, Parameter


class Linear(Module):
    """y = x W + b.

    x (N, D_in), W (D_in, D_out), b (D_out,), y (N, D_out), all of one dtype:

        dL/dW = x^T dL/dy,  dL/db = sum_n dL/dy,  dL/dx = dL/dy W^T

    rng draws the weights by `initialise` (He's normal distribution by default); the biases are 0.
    input_grad=False leaves out dL/dx, which nobody needs at a model's first layer: `backward` then
    returns None.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        rng: np.random.Generator,
        initialise: Callable[[np.random.Generator, int, int], np.ndarray] = he_normal,
        input_grad: bool = True,
    ):
        if fan_in < 1 or fan_out < 1:
            self._fail("at least one input and one output", f"{fan_in} and {fan_out}")
        self.weight = Parameter(initialise(rng, fan_in, fan_out))
        self.bias = Parameter(np.zeros(fan_out, np.float32), decay=False)
        self.input_grad = input_grad

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._check(x)
        weight, bias = self.weight.value, self.bias.value
        self.x = x
        y = np.matmul(x, weight, out=self._buffer("y", (len(x), len(bias)), x.dtype))
        y += bias
        return y

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        np.matmul(self.x.T, grad_output, out=self.weight.grad)
        np.sum(grad_output, axis=0, out=self.bias.grad)
        if not self.input_grad:
            return None
        grad_input = self._buffer("grad_input", self.x.shape, grad_output.dtype)
        return np.matmul(grad_output, self.weight.value.T, out=grad_input)

    def _check(self, x: np.ndarray) -> None:
        weight = self.weight.value
        if x.ndim != 2 or x.shape[1] != len(weight) or len(x) == 0:
            self._fail(f"shape (N, {len(weight)}) with N >= 1", f"{x.shape}")
        if x.dtype != weight.dtype:
            self._fail(f"{weight.dtype}", f"{x.dtype}")
        # The sum costs microseconds, and is finite unless an element is not, or it overflows.
        with np.errstate(all="ignore"):
            suspicious = not np.isfinite(x.sum())
        if suspicious and not np.isfinite(x).all():
            raise NonFiniteError(f"{self!r}: expected finite input, given NaN or infinity")

    def __repr__(self) -> str:
        if "weight" not in vars(self):
            return "Linear()"
        return "Linear({}, {})".format(*self.weight.value.shape)
