"""From tokens to vectors: what a token is, and where it is."""

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.linear import normal
from numpy_nn.module import Module, Parameter


class Embedding(Module):
    """y[b, t] = E[x[b, t]]: a row of the table E (V, C) for each token.

    x (B, T) integers in [0, V), y (B, T, C). It is the product of one-hot rows and E, without the
    zeros; so is the gradient, in which each row of E collects what its tokens were told:

        dL/dE[v] = sum over (b, t) with x[b, t] = v of dL/dy[b, t]

    Tokens have no derivative: `backward` returns None. rng draws E from N(0, std^2).
    """

    shown = ("vocab_size", "channels")
    axes, kinds = ("B", "T"), "iu"

    def __init__(self, vocab_size: int, channels: int, rng: np.random.Generator, std: float = 0.02):
        self.vocab_size, self.channels = vocab_size, channels
        self.table = Parameter(normal(std)(rng, vocab_size, channels))

    def forward(self, x: np.ndarray) -> np.ndarray:
        if x.min() < 0 or x.max() >= self.vocab_size:
            refuse(self, f"tokens in [0, {self.vocab_size})", f"{x.min()} to {x.max()}")
        self.tokens = x.ravel()  # (B T,)
        return self.table.value[x]  # (B, T, C)

    def backward(self, grad_output: np.ndarray) -> None:
        grad = grad_output.reshape(-1, self.channels)  # (B T, C)
        order = np.argsort(self.tokens, kind="stable")  # equal tokens side by side
        found, starts = np.unique(self.tokens[order], return_index=True)
        self.table.grad[...] = 0
        self.table.grad[found] = np.add.reduceat(grad[order], starts, axis=0)


class PositionalEmbedding(Module):
    """y[b, t] = x[b, t] + P[t]: a learned vector for each position, P (context, C).

    x, y (B, T, C), T <= context.  dL/dP[t] = sum_b dL/dy[b, t], 0 for t >= T;  dL/dx = dL/dy.
    Gehring et al., Convolutional Sequence to Sequence Learning, ICML 2017, section 3.1; GPT-2.
    """

    shown = ("context", "channels")

    def __init__(self, context: int, channels: int, rng: np.random.Generator, std: float = 0.02):
        self.context, self.channels = context, channels
        self.axes = ("B", "T", channels)
        self.table = Parameter(normal(std)(rng, context, channels))

    def forward(self, x: np.ndarray, start: int = 0) -> np.ndarray:
        end = start + x.shape[1]
        if end > self.context:
            refuse(self, f"at most {self.context} tokens", end)
        return x + self.table.value[start:end]  # (B, T, C) + (T, C)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        length = grad_output.shape[1]
        np.sum(grad_output, axis=0, out=self.table.grad[:length])  # (T, C)
        self.table.grad[length:] = 0
        return grad_output
