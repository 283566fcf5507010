"""Activation functions: applied to each element, so that x, y and both gradients share a shape."""

import math

import numpy as np

from numpy_nn.module import Module


class ReLU(Module):
    """y = max(x, 0);  dL/dx = dL/dy where x > 0, else 0.

    At the kink, x = 0, the derivative is taken as 0, as PyTorch does. Nair and Hinton, Rectified
    Linear Units Improve Restricted Boltzmann Machines, ICML 2010.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.slope = (x > 0).astype(x.dtype)  # a product with bool takes twice as long
        return x * self.slope

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output * self.slope


class LeakyReLU(Module):
    """y = x where x > 0, else slope x;  dL/dx = dL/dy or slope dL/dy.

    Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.
    """

    shown = ("slope",)

    def __init__(self, slope: float = 0.01):
        self.slope = float(slope)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.derivative = np.where(x > 0, 1, self.slope).astype(x.dtype)
        return x * self.derivative

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output * self.derivative


class Tanh(Module):
    """y = tanh(x);  dy/dx = 1 - y^2, so that backward needs the output alone."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return (1 - self.y * self.y) * grad_output


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x));  dy/dx = y (1 - y).

    Computed as (1 + tanh(x / 2)) / 2, which overflows nowhere. In float32 its error is below 1e-7,
    which is more than y itself where x < -16: there y is 0 or a multiple of 3e-8.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.y = (np.tanh(x * 0.5) + 1) * 0.5
        return self.y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return (1 - self.y) * self.y * grad_output


class GELU(Module):
    """y = x P(Z <= x) with Z standard normal, in the tanh approximation.

    y = x (1 + t) / 2,  t = tanh(x (c + c a x^2)),  c = sqrt(2 / pi),  a = 0.044715
    dy/dx = (1 + t) (1 + x (1 - t) (c + 3 c a x^2)) / 2

    Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv:1606.08415, section 2. The exact form
    needs erf, which NumPy does not have. In float32 dy/dx is a number up to |x| of 1e13; beyond
    that x^3 overflows.
    """

    C, A = math.sqrt(2 / math.pi), 0.044715

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x, self.one_plus_t = x, 1 + np.tanh((self.C * self.A * (x * x) + self.C) * x)
        return x * self.one_plus_t * 0.5

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        x, one_plus_t = self.x, self.one_plus_t
        slope = (3 * self.C * self.A * (x * x) + self.C) * x
        return ((2 - one_plus_t) * slope + 1) * one_plus_t * 0.5 * grad_output
