"""The fully connected layer."""

from collections.abc import Callable

import numpy as np

from numpy_nn.initialisers import he_normal
from numpy_nn.module import Module, Parameter


class Linear(Module):
    """y = x W + b.

    x (..., D_in), W (D_in, D_out), b (D_out,), y (..., D_out), all of one dtype. All leading axes
    are examples to this layer; with x flattened to (N, D_in), which copies nothing,

        dL/dW = x^T dL/dy,  dL/db = sum_n dL/dy,  dL/dx = dL/dy W^T

    rng draws the weights by `initialise` (He's normal distribution by default); the biases are 0.
    input_grad=False leaves out dL/dx, which nobody needs at a model's first layer: `backward` then
    returns None. Raises ValueError for a wrong shape or dtype, NonFiniteError for NaN or infinity.
    """

    passes_on_non_finite = True

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
        weight, bias = self.weight.value, self.bias.value
        fan_in = len(weight)
        if not (x.ndim > 1 and x.shape[-1] == fan_in):
            self._fail(f"shape (N, ..., {fan_in}) with N >= 1", f"{x.shape}")
        self._receive(x)
        if x.dtype != weight.dtype:
            self._fail(f"{weight.dtype}", f"{x.dtype}")
        self.shape = x.shape
        self.x = x.reshape(-1, fan_in)
        y = np.matmul(self.x, weight, out=self._buffer("y", (len(self.x), len(bias)), x.dtype))
        y += bias
        return y.reshape(*x.shape[:-1], len(bias))

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        shape = getattr(self, "shape", ())
        self._check_gradient(grad_output, (*shape[:-1], len(self.bias.value)))
        grad_output = grad_output.reshape(-1, len(self.bias.value))
        # First what is small: dL/dy is still in the cache. The sum over n as a product with ones:
        # BLAS does it twice as fast as np.sum.
        np.matmul(self._ones(), grad_output, out=self.bias.grad)
        np.matmul(self.x.T, grad_output, out=self.weight.grad)
        if not self.input_grad:
            return None
        grad_input = self._buffer("grad_input", self.x.shape, grad_output.dtype)
        np.matmul(grad_output, self.weight.value.T, out=grad_input)
        return grad_input.reshape(self.shape)

    def _ones(self) -> np.ndarray:
        ones = self._buffer("ones", (len(self.x),), self.x.dtype)
        ones.fill(1)
        return ones

    def __repr__(self) -> str:
        if "weight" not in vars(self):
            return "Linear()"
        return "Linear({}, {})".format(*self.weight.value.shape)
