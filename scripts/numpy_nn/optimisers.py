"""Optimisers: how a gradient becomes a step. Each works in place, block by block."""

from collections.abc import Mapping, Sequence

import numpy as np

from numpy_nn.flat import FlatParameters
from numpy_nn.module import Parameter, load_arrays


class Optimiser:
    """Base: holds the parameters (as one vector), the learning rate, and the vectors of state.

    `lr` is an attribute that a schedule may set before any `step()`. A second optimiser on the same
    parameters takes them along: the first one then steps in memory that no layer reads.

    A step works on blocks of BLOCK parameters: value, gradient, state and scratch of one fit into a
    core's L2 cache, so that only a block's first operation waits for memory (up to a third faster
    than whole passes). It may leave anything in the gradients: the next backward pass overwrites
    them.
    """

    BLOCK = 1 << 15
    STATE: tuple[str, ...] = ()

    def __init__(self, parameters: Sequence[Parameter], lr: float, weight_decay: float = 0.0):
        if not (lr > 0 and weight_decay >= 0):
            raise ValueError(
                f"{type(self).__name__}: expected lr > 0, weight_decay >= 0,"
                f" given {lr}, {weight_decay}"
            )
        self.lr, self.weight_decay, self.steps = float(lr), float(weight_decay), 0
        self.flat = FlatParameters(parameters, len(self.STATE))
        self.state = dict(zip(self.STATE, self.flat.state, strict=True))
        scratch = np.empty(self.BLOCK, self.flat.value.dtype)
        self._blocks = [
            (
                decayed,
                self.flat.value[block],
                self.flat.grad[block],
                scratch[: block.stop - block.start],
                *(array[block] for array in self.state.values()),
            )
            for block, decayed in self.flat.blocks(self.BLOCK)
        ]

    def step(self) -> None:
        """Change every parameter by its gradient."""
        self.steps += 1
        lr = float(self.lr)
        plain, decayed = self._factors(lr, 0.0), self._factors(lr, self.weight_decay)
        # As arrays () of the parameters' dtype: half the time of a call with a Python float, and
        # a float64 scalar of NumPy would have NumPy 2 compute in float64.
        dtype = self.flat.value.dtype
        plain, decayed = ([np.array(factor, dtype) for factor in fs] for fs in (plain, decayed))
        for is_decayed, *arrays in self._blocks:
            self._update(decayed if is_decayed else plain, *arrays)

    def _factors(self, lr: float, decay: float) -> tuple[float, ...]:
        """The numbers that `_update` multiplies with, at this step."""
        raise NotImplementedError

    def _update(self, factors: Sequence[np.ndarray], *arrays: np.ndarray) -> None:
        """Update one block: arrays are (value, grad, scratch, *state), each (at most BLOCK,)."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the state's vectors by name, and the number of steps taken."""
        arrays = {name: array.copy() for name, array in self.state.items()}
        return {**arrays, "steps": np.array(self.steps, np.int64)}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Set the state, in place. Raises ValueError for other names or shapes."""
        steps = np.zeros((), np.int64)
        owner = f"{type(self).__name__}: state"
        load_arrays(owner, {**self.state, "steps": steps}, state)
        self.steps = int(steps)


class SGD(Optimiser):
    """Stochastic gradient descent with momentum m and weight decay w (as torch.optim.SGD):

        g <- g + w p;   v <- m v + g;   p <- p - lr v            (heavy ball; Polyak 1964)
                                        p <- p - lr (g + m v)    (Nesterov)

    Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013.
    What is kept is `carried` = m v (PyTorch keeps v, its momentum buffer): Nesterov's form then
    needs each vector once.
    """

    STATE = ("carried",)

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        if not 0 <= momentum < 1 or (nesterov and momentum == 0):
            raise ValueError(
                f"SGD: expected momentum in [0, 1), above 0 for Nesterov, given {momentum}"
            )
        self.momentum, self.nesterov = float(momentum), nesterov
        super().__init__(parameters, lr, weight_decay)

    def _factors(self, lr, decay):
        return lr, decay, self.momentum

    def _update(self, factors, value, grad, scratch, carried):
        lr, decay, momentum = factors
        # The gradient is only read: not writing it back saves a sixth of the memory traffic.
        if decay:
            np.multiply(value, decay, out=scratch)
            scratch += grad
            grad = scratch
        carried += grad
        if self.nesterov:
            carried *= momentum
            np.add(grad, carried, out=scratch)
            scratch *= lr
        else:
            np.multiply(carried, lr, out=scratch)
            carried *= momentum
        value -= scratch


class AdamW(Optimiser):
    """Adam, with weight decay beside the gradient instead of in it (as torch.optim.AdamW):

        m <- b1 m + (1 - b1) g;   v <- b2 v + (1 - b2) g^2
        p <- p - lr w p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    `mean` and `square` are m and v, the first and the second moment. Kingma and Ba, Adam, ICLR
    2015, algorithm 1; Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019,
    algorithm 2.
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
        if not all(0 <= beta < 1 for beta in betas) or not eps > 0:
            raise ValueError(
                f"{type(self).__name__}: expected betas in [0, 1) and eps > 0, given {betas}, {eps}"
            )
        self.betas, self.eps = (float(betas[0]), float(betas[1])), float(eps)
        super().__init__(parameters, lr, weight_decay)

    def _factors(self, lr, decay):
        beta1, beta2 = self.betas
        unbias1, unbias2 = 1 - beta1**self.steps, 1 - beta2**self.steps
        averages = beta1, 1 - beta1, beta2, 1 - beta2
        return 1 - lr * decay, *averages, 1 / unbias2, self.eps, lr / unbias1

    def _update(self, factors, value, grad, scratch, mean, square):
        kept, beta1, rest1, beta2, rest2, unbias2, eps, rate = factors
        if kept != 1:
            value *= kept
        mean *= beta1
        np.multiply(grad, rest1, out=scratch)
        mean += scratch
        square *= beta2
        np.multiply(grad, grad, out=scratch)
        scratch *= rest2
        square += scratch
        np.multiply(square, unbias2, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += eps
        np.divide(mean, scratch, out=scratch)
        scratch *= rate
        value -= scratch


class Adam(AdamW):
    """Adam with weight decay w, if any, in the gradient: g <- g + w p (as torch.optim.Adam).

    Kingma and Ba, Adam, ICLR 2015, algorithm 1. Without decay the same as AdamW.
    """

    def _factors(self, lr, decay):
        return decay, *super()._factors(lr, 0.0)

    def _update(self, factors, value, grad, scratch, mean, square):
        decay, *factors = factors
        if decay:
            grad += np.multiply(value, decay, out=scratch)
        super()._update(factors, value, grad, scratch, mean, square)
