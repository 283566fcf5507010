"""GPT-2 (Radford et al. 2019), forward and backward, and how it writes."""

import math
from collections.abc import Sequence

import numpy as np

from numpy_nn.activations import GELU
from numpy_nn.attention import Cache, CausalSelfAttention
from numpy_nn.checks import refuse
from numpy_nn.embedding import Embedding, PositionalEmbedding
from numpy_nn.linear import Linear, normal
from numpy_nn.module import Module
from numpy_nn.normalisation import LayerNorm


class Block(Module):
    """h = x + attention(norm(x));   y = h + feed_forward(norm(h)).

    x, h, y (B, T, C). feed_forward is Linear C -> 4 C, GELU, Linear 4 C -> C, for each token alone.
    Each sum hands its gradient on twice: to x as it is, and through the branch.
    """

    def __init__(self, d_model: int, n_heads: int, n_layers: int, rng: np.random.Generator):
        first, last = normal(0.02), normal(0.02 / math.sqrt(2 * n_layers))
        self.axes = ("B", "T", d_model)
        self.attention_norm = LayerNorm(d_model)
        self.attention = CausalSelfAttention(d_model, n_heads, rng, first, last)
        self.feed_forward_norm = LayerNorm(d_model)
        self.up_projection = Linear(d_model, 4 * d_model, rng, first)
        self.activation = GELU()
        self.down_projection = Linear(4 * d_model, d_model, rng, last)

    def forward(self, x: np.ndarray, cache: Cache | None = None) -> np.ndarray:
        h = x + self.attention(self.attention_norm(x), cache)  # (B, T, C)
        hidden = self.activation(self.up_projection(self.feed_forward_norm(h)))  # (B, T, 4 C)
        return h + self.down_projection(hidden)  # (B, T, C)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad = self.activation.backward(self.down_projection.backward(grad_output))  # (B, T, 4 C)
        grad = self.feed_forward_norm.backward(self.up_projection.backward(grad))  # (B, T, C)
        grad_h = grad_output + grad  # (B, T, C)
        return grad_h + self.attention_norm.backward(self.attention.backward(grad_h))  # (B, T, C)


class GPT(Module):
    """Tokens (B, T), integers -> logits (B, T, V) of each next token.

        x = E[tokens] + P;   x = block(x), n_layers times;   logits = norm(x) E^T

    The table E (V, C) is used twice (weight tying, Press and Wolf 2017), and its gradient is the
    sum of both uses:  dL/dE = (as Embedding says) + sum over (b, t) of dL/dlogits^T norm(x).
    Weights are drawn from N(0, 0.02^2), the last of each branch from N(0, 0.02^2 / (2 n_layers)),
    so that the sum over the branches does not grow with depth; biases are 0 (GPT-2, section 2.3).
    Leaves out: dropout. torch_nn.gpt.GPT(activation="gelu tanh") is the same function.
    """

    axes, kinds = ("B", "T"), "iu"
    shown = ("vocab_size", "context", "n_layers", "n_heads", "d_model")

    def __init__(
        self,
        vocab_size: int,
        context: int,
        n_layers: int,
        n_heads: int,
        d_model: int,
        rng: np.random.Generator,
    ):
        self.vocab_size, self.context, self.n_layers = vocab_size, context, n_layers
        self.n_heads, self.d_model = n_heads, d_model
        self.embedding = Embedding(vocab_size, d_model, rng)
        self.positions = PositionalEmbedding(context, d_model, rng)
        self.blocks = [Block(d_model, n_heads, n_layers, rng) for _ in range(n_layers)]
        self.norm = LayerNorm(d_model)

    def forward(self, tokens: np.ndarray, caches: list[Cache] | None = None) -> np.ndarray:
        """caches: one for each block; tokens are the next ones after those in them (no backward).

        Raises ValueError if both together are more than `context`.
        """
        start = caches[0].length if caches else 0
        x = self.positions(self.embedding(tokens), start)  # (B, T, C)
        kept: Sequence[Cache | None] = caches or [None] * self.n_layers
        for block, cache in zip(self.blocks, kept, strict=True):
            x = block(x, cache)  # (B, T, C)
        self.hidden = self.norm(x)  # (B, T, C)
        return self.hidden @ self.embedding.table.value.T  # (B, T, C) @ (C, V)

    def backward(self, grad_output: np.ndarray) -> None:
        table = self.embedding.table
        grad = self.norm.backward(grad_output @ table.value)  # (B, T, V) @ (V, C) -> (B, T, C)
        for block in reversed(self.blocks):
            grad = block.backward(grad)  # (B, T, C)
        self.embedding.backward(self.positions.backward(grad))  # dL/dE of the first use
        rows, hidden = (
            grad_output.reshape(-1, self.vocab_size),
            self.hidden.reshape(-1, self.d_model),
        )
        table.grad += rows.T @ hidden  # (V, B T) @ (B T, C): of the second

    def new_caches(self, batch_size: int) -> list[Cache]:
        """An empty cache for each block."""
        return [block.attention.new_cache(batch_size, self.context) for block in self.blocks]

    def flops(self) -> int:
        """Those of the last product, by E^T."""
        return 2 * self.hidden.size * self.vocab_size


def sample(
    model: GPT,
    tokens: np.ndarray,
    count: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> np.ndarray:
    """Append `count` tokens to each row of tokens (B, T), T >= 1; returns (B, T + count).

    Each is drawn from softmax(logits / temperature), or is the likeliest if temperature is 0; with
    top_k, from the top_k likeliest alone. A text longer than the context goes on from its last
    `context` tokens, which are then read again at each step, since every position has changed.
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        refuse("sample", "temperature >= 0 and top_k >= 1", f"{temperature} and {top_k}")
    caches, unread = model.new_caches(len(tokens)), tokens
    with model.evaluating():
        for _ in range(count):
            if tokens.shape[1] > model.context:
                caches, unread = model.new_caches(len(tokens)), tokens[:, -model.context :]
            logits = model.forward(unread, caches)[:, -1]  # (B, V)
            unread = next_token(logits, rng, temperature, top_k)[:, None]  # (B, 1)
            tokens = np.concatenate([tokens, unread], axis=1)  # (B, T + 1)
    return tokens


def next_token(
    logits: np.ndarray, rng: np.random.Generator, temperature: float, top_k: int | None
) -> np.ndarray:
    """The choice that `sample` describes: logits (B, V) -> tokens (B,).

    With g from Gumbel's distribution, argmax(z + g) is a draw from softmax(z) (Gumbel 1954).
    """
    if temperature == 0:
        return logits.argmax(axis=1)
    z = logits.astype(np.float64) / temperature  # (B, V)
    if top_k is not None and top_k < z.shape[1]:
        least = np.partition(z, -top_k, axis=1)[:, -top_k, None]  # (B, 1)
        z[z < least] = -np.inf
    return (z + rng.gumbel(size=z.shape)).argmax(axis=1)
