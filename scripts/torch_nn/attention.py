"""Scaled dot-product and multi-head attention, written out (Vaswani et al. 2017, section 3.2).

Letters of the shape comments:
    B   batch                   T   time (tokens)
    H   heads                   Tq  queries
    C   channels (d_model)      Tk  keys
    D   width of a head, C / H  Dv  width of a value
"""

import math

import torch
from torch import Tensor, nn

from torch_nn.dropout import Dropout


def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, dropout: nn.Module | None = None
) -> tuple[Tensor, Tensor]:
    """Attention(Q, K, V) = softmax(Q K^T / sqrt(D)) V  (Vaswani et al. 2017, eq. 1).

    q (..., Tq, D), k (..., Tk, D), v (..., Tk, Dv): floats; mask: bool, broadcastable to
    (..., Tq, Tk), True where attention is allowed. A query that may attend nowhere gets weights and
    output of zero (a plain softmax would give NaN). dropout acts on the weights.
    Returns (output (..., Tq, Dv), weights (..., Tq, Tk) before dropout).
    Why sqrt(D): a score sums D products. If the entries of q and k have mean 0 and variance 1, it
    has variance D; softmax of numbers that far apart is nearly one-hot, and its derivative,
    p (1 - p), nearly 0. Dividing by sqrt(D) brings the variance back to 1 (section 3.2.1).
    Leaves out: tiling. The whole (Tq, Tk) matrix is held in memory, unlike FlashAttention.
    Raises ValueError if the mask is not bool.
    """
    q = q / math.sqrt(q.size(-1))  # (..., Tq, D): cheaper than dividing the (Tq, Tk) scores
    scores = q @ k.transpose(-2, -1)  # (..., Tq, D) @ (..., D, Tk) -> (..., Tq, Tk)
    if mask is not None:
        if mask.dtype is not torch.bool:
            raise ValueError(f"attention mask: expected bool (True = allowed), found {mask.dtype}")
        # The lowest finite number, not -inf: a row without any allowed key would be 0 / 0.
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)  # (..., Tq, Tk)
    weights = torch.softmax(scores, dim=-1)  # (..., Tq, Tk)
    if mask is not None and not (some_key := mask.any(dim=-1, keepdim=True)).all():
        weights = weights.masked_fill(~some_key, 0.0)  # (..., Tq, Tk)
    used = weights if dropout is None else dropout(weights)  # (..., Tq, Tk)
    output = used.to(v.dtype) @ v  # (..., Tq, Tk) @ (..., Tk, Dv) -> (..., Tq, Dv)
    return output, weights


def causal_mask(length: int, device: torch.device | None = None) -> Tensor:
    """The (T, T) bool mask that lets token i attend to tokens 0..i and to none after it."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()  # (T, T)


def padding_mask(lengths: Tensor | None, length: int) -> Tensor | None:
    """The bool mask (B, 1, 1, T) that lets no token attend to padding.

    lengths (B,): int64, how many of the first tokens of each row are real; None if all are, which
    needs no mask. The axes of size one are those of heads and queries.
    """
    if lengths is None:
        return None
    positions = torch.arange(length, device=lengths.device)  # (T,)
    allowed = positions.unsqueeze(0) < lengths.unsqueeze(1)  # (1, T) < (B, 1) -> (B, T)
    return allowed.unsqueeze(1).unsqueeze(2)  # (B, 1, 1, T)


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on a slice of width D = C / H (section 3.2.2).

    MultiHead(Q, K, V) = Concat(head_1, ..., head_H) W^O
    head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V);  W_1 to W_H are slices of one (C, C) matrix.

    One softmax gives one average of the values; H of them can look at H places at once, and their
    products cost as much as those of a single head of width C.
    dropout: share of attention weights set to zero in training.
    Raises ValueError if n_heads does not divide d_model.
    """

    def __init__(self, d_model: int, n_heads: int, dropout: float = 0.0):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"d_model {d_model} is not a multiple of n_heads {n_heads}")
        self.n_heads = n_heads
        self.query_projection = nn.Linear(d_model, d_model)
        self.key_projection = nn.Linear(d_model, d_model)
        self.value_projection = nn.Linear(d_model, d_model)
        self.output_projection = nn.Linear(d_model, d_model)
        self.dropout = Dropout(dropout)

    def split_heads(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, H, T, D)."""
        x = x.unflatten(-1, (self.n_heads, -1))  # (B, T, H, D)
        return x.transpose(1, 2)  # (B, H, T, D)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """x (B, Tq, C) asks memory (B, Tk, C), which gives keys and values; None: x asks itself.

        mask: bool, broadcastable to (B, H, Tq, Tk), True = allowed.
        Returns output (B, Tq, C) and the attention weights (B, H, Tq, Tk).
        """
        memory = x if memory is None else memory
        q = self.split_heads(self.query_projection(x))  # (B, H, Tq, D)
        k = self.split_heads(self.key_projection(memory))  # (B, H, Tk, D)
        v = self.split_heads(self.value_projection(memory))  # (B, H, Tk, D)
        heads, weights = scaled_dot_product_attention(q, k, v, mask, self.dropout)  # (B, H, Tq, D)
        joined = heads.transpose(1, 2)  # (B, Tq, H, D)
        joined = joined.flatten(2)  # (B, Tq, C)
        return self.output_projection(joined), weights  # (B, Tq, C), (B, H, Tq, Tk)
