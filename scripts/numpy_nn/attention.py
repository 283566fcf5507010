"""Causal self-attention: each token asks those up to itself (Vaswani et al. 2017, section 3.2).

Letters of the shape comments: B batch, T time (tokens), C channels, H heads, D = C / H width of a
head. `h*` stands for the H heads of each of the B sequences, whose products are one np.matmul.
"""

import math

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.linear import Initialise, Linear, he_normal
from numpy_nn.module import Module


class Cache:
    """Keys and values (B, H, capacity, D) of the `length` tokens that an attention has read.

    No later token changes them, so that a new token costs one pass over itself alone.
    """

    def __init__(self, batch_size: int, n_heads: int, capacity: int, width: int):
        self.keys = np.empty((batch_size, n_heads, capacity, width), np.float32)
        self.values, self.length = np.empty_like(self.keys), 0

    def extend(self, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Append k, v (B, H, T, D); returns those of all tokens so far, (B, H, length, D)."""
        start, self.length = self.length, self.length + k.shape[2]
        self.keys[:, :, start : self.length] = k
        self.values[:, :, start : self.length] = v
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]


class CausalSelfAttention(Module):
    """H attentions side by side, in which no token sees a later one.

    x (B, T, C), [Q K V] = x W + b with W (C, 3 C), y = O W_o + b_o; each head has its own D columns
    of Q, K, V and O. For one of them, i a token that asks, j and k tokens that are asked:

        S = Q K^T / sqrt(D), and -inf for j > i;   A = softmax(S) over j;   O = A V

    Backward, from dO = dL/dO. The products are those of Linear:

        dV = A^T dO,   dA = dO V^T,   dQ = dS K / sqrt(D),   dK = dS^T Q / sqrt(D)

    The softmax: A_ij = exp(S_ij) / sum_k exp(S_ik) gives dA_ij/dS_ik = A_ij ([j = k] - A_ik), hence

        dS_ik = sum_j dA_ij A_ij ([j = k] - A_ik) = A_ik (dA_ik - r_i),   r_i = sum_j A_ij dA_ij

    and r_i = sum_j A_ij sum_d dO_id V_jd = sum_d dO_id O_id, a sum over D numbers instead of T (Dao
    et al., FlashAttention, NeurIPS 2022, appendix B.2). The mask needs no line of its own: where A
    is 0, dS is 0.
    Raises ValueError if n_heads does not divide d_model.
    """

    shown = ("d_model", "n_heads")

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        rng: np.random.Generator,
        initialise: Initialise = he_normal,
        initialise_output: Initialise = he_normal,
    ):
        if d_model % n_heads:
            refuse("CausalSelfAttention", f"d_model a multiple of n_heads {n_heads}", d_model)
        self.d_model, self.n_heads, self.width = d_model, n_heads, d_model // n_heads
        self.axes = ("B", "T", d_model)
        self.input_projection = Linear(d_model, 3 * d_model, rng, initialise)
        self.output_projection = Linear(d_model, d_model, rng, initialise_output)

    def forward(self, x: np.ndarray, cache: Cache | None = None) -> np.ndarray:
        """cache: x are the next tokens after those in it, and ask those, too (no backward)."""
        self.qkv = self.by_head(self.input_projection(x))  # (3, B, H, T, D)
        q, k, v = self.qkv
        if cache is not None:
            k, v = cache.extend(k, v)  # (B, H, Tk, D)
        scores = q @ k.swapaxes(2, 3)  # (h*, T, D) @ (h*, D, Tk) -> (h*, T, Tk)
        self.weights = causal_softmax(scores, 1 / math.sqrt(self.width))
        self.heads = np.empty((*x.shape[:2], self.n_heads, self.width), x.dtype)  # (B, T, H, D)
        np.matmul(self.weights, v, out=self.heads.swapaxes(1, 2))  # (h*, T, Tk) @ (h*, Tk, D)
        return self.output_projection(self.heads.reshape(x.shape))  # (B, T, C)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        q, k, v = self.qkv
        grad = self.output_projection.backward(grad_output)  # (B, T, C)
        grad = grad.reshape(self.heads.shape)  # (B, T, H, D)
        r = (grad * self.heads).sum(axis=3).swapaxes(1, 2)  # (B, H, T)
        grad = grad.swapaxes(1, 2)  # (B, H, T, D)
        grad_qkv = np.empty((*grad_output.shape[:2], 3 * self.d_model), grad.dtype)  # (B, T, 3 C)
        grad_q, grad_k, grad_v = self.by_head(grad_qkv)  # views (B, H, T, D)

        np.matmul(self.weights.swapaxes(2, 3), grad, out=grad_v)  # (h*, T, T) @ (h*, T, D)
        grad_scores = grad @ v.swapaxes(2, 3)  # (h*, T, D) @ (h*, D, T) -> (h*, T, T)
        grad_scores -= r[..., None]
        grad_scores *= self.weights
        grad_scores *= 1 / math.sqrt(self.width)
        np.matmul(grad_scores, k, out=grad_q)  # (h*, T, T) @ (h*, T, D)
        np.matmul(grad_scores.swapaxes(2, 3), q, out=grad_k)  # (h*, T, T) @ (h*, T, D)
        return self.input_projection.backward(grad_qkv)  # (B, T, C)

    def by_head(self, qkv: np.ndarray) -> np.ndarray:
        """(B, T, 3 C) -> (3, B, H, T, D), a view."""
        split = qkv.reshape(*qkv.shape[:2], 3, self.n_heads, self.width)  # (B, T, 3, H, D)
        return split.transpose(2, 0, 3, 1, 4)  # (3, B, H, T, D)

    def new_cache(self, batch_size: int, capacity: int) -> Cache:
        """An empty cache for `batch_size` sequences of at most `capacity` tokens."""
        return Cache(batch_size, self.n_heads, capacity, self.width)

    def flops(self) -> int:
        """Those of Q K^T and A V: the projections count for themselves."""
        return 4 * self.weights.size * self.width


def causal_softmax(scores: np.ndarray, scale: float) -> np.ndarray:
    """softmax(scale * scores) over the last axis, in place, without what lies above the diagonal.

    scores (..., T, Tk): the T queries are the last of the Tk tokens. The largest score of a row is
    subtracted first, which changes nothing and keeps exp from overflowing.
    """
    queries, keys = scores.shape[-2:]
    scores *= scale
    if queries > 1:
        scores += np.triu(np.full((queries, keys), -np.inf, scores.dtype), keys - queries + 1)
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores
