"""Optimisers: how a gradient becomes a step. Each works in place, parameter by parameter."""

from collections.abc import Mapping, Sequence

import numpy as np

from numpy_nn.module import Parameter


class Optimiser:
    """Base: holds the parameters, the learning rate, and arrays of state for each parameter.

    `lr` is an attribute that a schedule may set before any `step()`.
    """

    STATE: tuple[str, ...] = ()

    def __init__(self, parameters: Sequence[Parameter], lr: float, weight_decay: float = 0.0):
        if lr <= 0 or weight_decay < 0:
            raise ValueError(f"expected lr > 0, weight_decay >= 0, given {lr}, {weight_decay}")
        self.parameters = list(parameters)
        self.lr, self.weight_decay, self.steps = lr, weight_decay, 0
        self.state = {
            name: [np.zeros_like(parameter.value) for parameter in self.parameters]
            for name in self.STATE
        }
        self._scratch = [np.empty_like(parameter.value) for parameter in self.parameters]

    def step(self) -> None:
        """Change every parameter by its gradient."""
        self.steps += 1
        for index, parameter in enumerate(self.parameters):
            arrays = {name: arrays[index] for name, arrays in self.state.items()}
            self._update(parameter, self._scratch[index], **arrays)

    def _update(self, parameter: Parameter, scratch: np.ndarray, **state: np.ndarray) -> None:
        raise NotImplementedError

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the state's arrays by name, and the number of steps taken."""
        arrays = {
            f"{name}.{index}": array.copy()
            for name, arrays in self.state.items()
            for index, array in enumerate(arrays)
        }
        return {**arrays, "steps": np.array(self.steps, np.int64)}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Set the state, in place."""
        for name, arrays in self.state.items():
            for index, array in enumerate(arrays):
                array[...] = state[f"{name}.{index}"]
        self.steps = int(state["steps"])


class SGD(Optimiser):
    """Stochastic gradient descent with momentum m and weight decay w (as torch.optim.SGD):

        g <- g + w p;   v <- m v + g;   p <- p - lr v            (heavy ball; Polyak 1964)
                                        p <- p - lr (g + m v)    (Nesterov)

    Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013.
    """

    STATE = ("velocity",)

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        if not 0 <= momentum < 1 or (nesterov and momentum == 0):
            raise ValueError(f"expected momentum in [0, 1), above 0 for Nesterov, given {momentum}")
        self.momentum, self.nesterov = momentum, nesterov
        super().__init__(parameters, lr, weight_decay)

    def _update(self, parameter: Parameter, scratch: np.ndarray, velocity: np.ndarray) -> None:
        value, grad = parameter.value, parameter.grad
        if self.weight_decay and parameter.decay:
            np.multiply(value, self.weight_decay, out=scratch)
            grad += scratch
        velocity *= self.momentum
        velocity += grad
        if self.nesterov:
            np.multiply(velocity, self.momentum * self.lr, out=scratch)
            value -= scratch
            np.multiply(grad, self.lr, out=scratch)
        else:
            np.multiply(velocity, self.lr, out=scratch)
        value -= scratch


class AdamW(Optimiser):
    """Adam, with weight decay beside the gradient instead of in it (as torch.optim.AdamW):

        m <- b1 m + (1 - b1) g;   v <- b2 v + (1 - b2) g^2
        p <- p - lr w p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    Kingma and Ba, Adam, ICLR 2015, algorithm 1; Loshchilov and Hutter, Decoupled Weight Decay
    Regularization, ICLR 2019, algorithm 2. With weight_decay = 0 it is Adam.
    """

    STATE = ("mean", "square")

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        if not all(0 <= beta < 1 for beta in betas) or eps <= 0:
            raise ValueError(f"expected betas in [0, 1) and eps > 0, given {betas}, {eps}")
        self.betas, self.eps = betas, eps
        super().__init__(parameters, lr, weight_decay)

    def _update(
        self, parameter: Parameter, scratch: np.ndarray, mean: np.ndarray, square: np.ndarray
    ) -> None:
        value, grad = parameter.value, parameter.grad
        beta1, beta2 = self.betas
        if self.weight_decay and parameter.decay:
            value *= 1 - self.lr * self.weight_decay
        mean *= beta1
        np.multiply(grad, 1 - beta1, out=scratch)
        mean += scratch
        square *= beta2
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - beta2
        square += scratch
        np.multiply(square, 1 / (1 - beta2**self.steps), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.eps
        np.divide(mean, scratch, out=scratch)
        scratch *= self.lr / (1 - beta1**self.steps)
        value -= scratch
