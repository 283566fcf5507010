"""Activation functions: applied to each element, so that x, y and both gradients share a shape."""

import math

import numpy as np

from numpy_nn.module import Module


class ReLU(Module):
    """y = max(x, 0);  dL/dx = dL/dy where x > 0, else 0.

    At the kink, x = 0, the derivative is taken as 0, as PyTorch does. Nair and Hinton, Rectified
    Linear Units Improve Restricted Boltzmann Machines, ICML 2010.

    inplace=True writes y over x, and dL/dx over dL/dy, which keeps them in cache. Right after a
    layer that does not look at its output again (Linear, a norm), and before one that does not look
    at its dL/dx again; neither first nor last in a Residual, which still needs x and dL/dy.
    """

    passes_on_non_finite = True

    def __init__(self, inplace: bool = False):
        self.inplace = inplace

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        # A float mask: np.maximum and products with a bool mask are several times slower.
        positive = np.greater(x, 0, out=self._buffer("positive", x.shape, bool))
        self.slope = self._buffer("slope", x.shape, x.dtype)
        np.copyto(self.slope, positive)
        y = x if self.inplace else self._buffer("y", x.shape, x.dtype)
        return np.multiply(x, self.slope, out=y)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        grad_input = grad_output
        if not self.inplace:
            grad_input = self._buffer("grad_input", grad_output.shape, grad_output.dtype)
        return np.multiply(grad_output, self.slope, out=grad_input)


class LeakyReLU(Module):
    """y = x where x > 0, else slope x;  dL/dx = dL/dy or slope dL/dy.

    Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.
    """

    passes_on_non_finite = True

    def __init__(self, slope: float = 0.01):
        self.slope = float(slope)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        self.derivative = self._buffer("derivative", x.shape, x.dtype)
        self.derivative.fill(1)
        np.copyto(self.derivative, self.slope, where=x <= 0)
        return np.multiply(x, self.derivative, out=self._buffer("y", x.shape, x.dtype))

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        grad_input = self._buffer("grad_input", grad_output.shape, grad_output.dtype)
        return np.multiply(grad_output, self.derivative, out=grad_input)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class Tanh(Module):
    """y = tanh(x);  dy/dx = 1 - y^2, so that backward needs the output alone."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        self.y = np.tanh(x, out=self._buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        grad_input = self._buffer("grad_input", grad_output.shape, grad_output.dtype)
        np.multiply(self.y, self.y, out=grad_input)
        np.subtract(1, grad_input, out=grad_input)
        grad_input *= grad_output
        return grad_input


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x));  dy/dx = y (1 - y).

    Computed as (1 + tanh(x / 2)) / 2, which overflows nowhere. In float32 its error is below 1e-7,
    which is more than y itself where x < -16: there y is 0 or a multiple of 3e-8.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        self.y = np.multiply(x, 0.5, out=self._buffer("y", x.shape, x.dtype))
        np.tanh(self.y, out=self.y)
        self.y += 1
        self.y *= 0.5
        return self.y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        grad_input = self._buffer("grad_input", grad_output.shape, grad_output.dtype)
        np.subtract(1, self.y, out=grad_input)
        grad_input *= self.y
        grad_input *= grad_output
        return grad_input


class GELU(Module):
    """y = x P(Z <= x) with Z standard normal, in the tanh approximation.

    y = x (1 + t) / 2,  t = tanh(u),  u = c (x + a x^3),  c = sqrt(2 / pi),  a = 0.044715
    dy/dx = (1 + t) / 2 + x (1 - t^2) / 2 * c (1 + 3 a x^2)

    Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv:1606.08415, section 2. The exact form
    needs erf, which NumPy has not. 1 + t is what both passes share. In float32 dy/dx is a number up
    to |x| of 1e13; beyond that x^3 overflows.
    """

    passes_on_non_finite = True

    C, A = math.sqrt(2 / math.pi), 0.044715

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        self.x = x
        u = self._buffer("one_plus_t", x.shape, x.dtype)
        np.multiply(x, x, out=u)
        u *= self.C * self.A
        u += self.C
        u *= x
        np.tanh(u, out=u)
        u += 1
        self.one_plus_t = u
        y = np.multiply(x, u, out=self._buffer("y", x.shape, x.dtype))
        y *= 0.5
        return y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        x, one_plus_t = self.x, self.one_plus_t
        grad_input = self._buffer("grad_input", x.shape, grad_output.dtype)
        slope = self._buffer("slope", x.shape, x.dtype)
        # x (1 - t) c (1 + 3 a x^2), of which (1 + t) / 2 more makes the second summand
        np.multiply(x, x, out=slope)
        slope *= 3 * self.A * self.C
        slope += self.C
        slope *= x
        np.subtract(2, one_plus_t, out=grad_input)
        grad_input *= slope
        grad_input += 1
        grad_input *= one_plus_t
        grad_input *= 0.5
        grad_input *= grad_output
        return grad_input
