"""The fully connected layer, and how large its first weights are: such that signals neither fade
nor explode with depth."""

import math
from collections.abc import Callable

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.module import Module, Parameter

# (generator, fan_in, fan_out) -> weights (fan_in, fan_out), float32.
Initialise = Callable[[np.random.Generator, int, int], np.ndarray]


def he_normal(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """Weights (fan_in, fan_out), float32, from N(0, 2 / fan_in): for layers before a ReLU.

    A ReLU zeroes half of its inputs, hence the 2. He, Zhang, Ren and Sun, Delving Deep into
    Rectifiers, ICCV 2015, equation 10.
    """
    scale = np.float32(math.sqrt(2 / fan_in))
    return rng.standard_normal((fan_in, fan_out), np.float32) * scale


def xavier_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """Weights (fan_in, fan_out), float32, uniform in +-sqrt(6 / (fan_in + fan_out)).

    For tanh, sigmoid and a linear output. Glorot and Bengio, Understanding the difficulty of
    training deep feedforward neural networks, AISTATS 2010, equation 16.
    """
    bound = np.float32(math.sqrt(6 / (fan_in + fan_out)))
    return (2 * rng.random((fan_in, fan_out), np.float32) - 1) * bound


def normal(std: float) -> Initialise:
    """Weights (fan_in, fan_out), float32, from N(0, std^2), whatever the fans: as GPT-2 does."""

    def draw(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return rng.standard_normal((fan_in, fan_out), np.float32) * np.float32(std)

    return draw


class Linear(Module):
    """y = x W + b.

    x (..., D_in), W (D_in, D_out), b (D_out,), y (..., D_out), all of one dtype. All leading axes
    are examples to this layer; with x flattened to (N, D_in), which copies nothing,

        dL/dW = x^T dL/dy,  dL/db = sum_n dL/dy,  dL/dx = dL/dy W^T

    rng draws the weights by `initialise` (He's normal distribution by default); the biases are 0.
    input_grad=False leaves out dL/dx, a third of a layer's products, which nobody needs at a
    model's first layer: `backward` then returns None.
    """

    shown = ("fan_in", "fan_out")

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        rng: np.random.Generator,
        initialise: Initialise = he_normal,
        input_grad: bool = True,
    ):
        if fan_in < 1 or fan_out < 1:
            refuse("Linear", "at least one input and output", f"{fan_in} and {fan_out}")
        self.fan_in, self.fan_out, self.input_grad = fan_in, fan_out, input_grad
        self.axes = ("N", "...", fan_in)
        self.weight = Parameter(initialise(rng, fan_in, fan_out))
        self.bias = Parameter(np.zeros(fan_out, np.float32), decay=False)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        y = _rows(x) @ self.weight.value + self.bias.value
        return y.reshape(*x.shape[:-1], self.fan_out)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        x, grad = _rows(self.x), _rows(grad_output)  # (N, D_in), (N, D_out)
        np.matmul(x.T, grad, out=self.weight.grad)
        np.matmul(np.ones(len(x), x.dtype), grad, out=self.bias.grad)  # a sum, faster than np.sum
        if not self.input_grad:
            return None  # type: ignore[return-value]  # nobody who asks for this uses it
        return (grad @ self.weight.value.T).reshape(self.x.shape)

    def flops(self) -> int:
        return 2 * self.x.size * self.fan_out


def _rows(array: np.ndarray) -> np.ndarray:
    """(..., D) -> (N, D), a view."""
    return array.reshape(-1, array.shape[-1])
