"""Scaled dot-product and multi-head attention, written out (Vaswani et al. 2017, section 3.2).

Letters of the shape comments:
    B   batch                   T   time (tokens)
    H   heads                   Tq  queries
    C   channels (d_model)      Tk  keys
    D   width of a head, C / H  Dv  width of a value
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.cache import LayerCache
from torch_nn.dropout import Dropout
from torch_nn.positions import RotaryEmbedding


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
    Leaves out: tiling. The whole (Tq, Tk) matrix is held in memory; see `fused_attention`.
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


def fused_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """The same output (..., Tq, Dv) by PyTorch's kernel, which never holds all (Tq, Tk) weights.

    It goes through the keys in tiles and keeps a running maximum and sum of the softmax
    (FlashAttention, Dao et al. 2022), so that it has no weights to return.
    causal: the mask `causal_mask(Tq, Tk)`, besides the one given. Alone and square it is not even
    built, and the tiles that it hides completely are skipped.
    """
    k, v = for_each_query_head(q, k), for_each_query_head(q, v)  # (..., H, Tk, D)
    queries, keys = q.size(-2), k.size(-2)
    alone = mask is None and queries == keys
    if causal and queries > 1 and not alone:
        mask = both_masks(mask, causal_mask(queries, keys, q.device))  # (..., Tq, Tk)
    causal = causal and bool(queries > 1) and bool(alone)  # an export's sizes are no plain ints
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)


def for_each_query_head(q: Tensor, shared: Tensor) -> Tensor:
    """Keys or values (..., H_kv, Tk, D), repeated to (..., H, Tk, D) for q (..., H, Tq, D): each of
    their heads serves H / H_kv heads of queries, side by side."""
    times = q.size(-3) // shared.size(-3)
    return shared if times == 1 else shared.repeat_interleave(times, dim=-3)


def causal_mask(
    queries: int, keys: int | None = None, device: torch.device | None = None
) -> Tensor:
    """The bool mask (Tq, Tk) that lets a token attend to itself, to those before it, to none after.

    keys: None if there are as many as queries; else the queries are the last tokens of the keys.
    """
    keys = queries if keys is None else keys
    allowed = torch.ones(queries, keys, dtype=torch.bool, device=device)  # (Tq, Tk)
    return allowed.tril(keys - queries)  # (Tq, Tk)


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


def both_masks(first: Tensor | None, second: Tensor) -> Tensor:
    """Allowed is what both allow."""
    return second if first is None else first & second


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on a slice of width D = C / H (section 3.2.2).

    MultiHead(Q, K, V) = Concat(head_1, ..., head_H) W^O
    head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V);  W_1 to W_H are slices of one (C, C) matrix.

    One softmax gives one average of the values; H of them can look at H places at once, and their
    products cost as much as those of a single head of width C.
    dropout: share of attention weights set to zero in training.
    causal: a query sees no later key. bias: whether the projections have one.
    n_kv_heads: heads of keys and values, each for H / n_kv_heads heads of queries: a smaller cache
    at nearly the same quality (grouped queries, Ainslie et al. 2023); None: H.
    rotary: turns queries and keys by their positions.
    fused: use `fused_attention` where no weights are asked for and no dropout acts on them: where
    it does, PyTorch has no kernel for CPUs either.
    Raises ValueError if n_heads does not divide d_model, or n_kv_heads n_heads.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        dropout: float = 0.0,
        *,
        causal: bool = False,
        bias: bool = True,
        n_kv_heads: int | None = None,
        rotary: RotaryEmbedding | None = None,
        fused: bool = False,
    ):
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        if d_model % n_heads:
            raise ValueError(f"d_model {d_model} is not a multiple of n_heads {n_heads}")
        if n_heads % n_kv_heads:
            raise ValueError(f"n_heads {n_heads} is not a multiple of n_kv_heads {n_kv_heads}")
        self.n_heads, self.n_kv_heads, self.width = n_heads, n_kv_heads, d_model // n_heads
        self.causal, self.fused, self.rotary = causal, fused, rotary
        self.query_projection = nn.Linear(d_model, d_model, bias)
        self.key_projection = nn.Linear(d_model, n_kv_heads * self.width, bias)
        self.value_projection = nn.Linear(d_model, n_kv_heads * self.width, bias)
        self.output_projection = nn.Linear(d_model, d_model, bias)
        self.dropout = Dropout(dropout)

    def split_heads(self, x: Tensor) -> Tensor:
        """(B, T, H D) -> (B, H, T, D)."""
        x = x.unflatten(-1, (-1, self.width))  # (B, T, H, D)
        return x.transpose(1, 2)  # (B, H, T, D)

    def keys_and_values(self, memory: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """memory (B, Tk, C), whose first token is at position `start` -> (B, H_kv, Tk, D) each."""
        k = self.split_heads(self.key_projection(memory))  # (B, H_kv, Tk, D)
        v = self.split_heads(self.value_projection(memory))  # (B, H_kv, Tk, D)
        return (k if self.rotary is None else self.rotary(k, start)), v

    def new_cache(self, batch_size: int, capacity: int) -> LayerCache:
        """An empty cache for `batch_size` sequences of at most `capacity` tokens."""
        like = self.key_projection.weight
        return LayerCache(batch_size, self.n_kv_heads, capacity, self.width, like)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """x (B, Tq, C) asks memory (B, Tk, C), which gives keys and values; None: x asks itself.

        mask: bool, broadcastable to (B, H, Tq, Tk), True = allowed.
        cache: x are the next tokens after those in it, and ask those, too. Keys and values of a
        memory are computed by the first call and read from the cache afterwards.
        Returns output (B, Tq, C) and the attention weights (B, H, Tq, Tk); None instead of them
        where they are not needed and the fused kernel ran.
        """
        start = 0 if cache is None or memory is not None else cache.length
        q = self.split_heads(self.query_projection(x))  # (B, H, Tq, D)
        if self.rotary is not None:
            q = self.rotary(q, start)  # (B, H, Tq, D)
        if cache is None:
            k, v = self.keys_and_values(x if memory is None else memory, 0)  # (B, H_kv, Tk, D)
        else:
            if memory is None or not cache.length:
                cache.extend(
                    torch.stack(self.keys_and_values(x if memory is None else memory, start))
                )
            k, v = cache.filled()  # (B, H_kv, Tk, D)
        weights = None
        if self.fused and not need_weights and not self.dropout.acts():
            heads = fused_attention(q, k, v, mask, self.causal)  # (B, H, Tq, D)
        else:
            if self.causal:
                mask = both_masks(mask, causal_mask(q.size(2), k.size(2), q.device))
            k, v = for_each_query_head(q, k), for_each_query_head(q, v)  # (B, H, Tk, D)
            heads, weights = scaled_dot_product_attention(q, k, v, mask, self.dropout)
        joined = heads.transpose(1, 2)  # (B, Tq, H, D)
        joined = joined.flatten(2)  # (B, Tq, C)
        return self.output_projection(joined), weights  # (B, Tq, C), (B, H, Tq, Tk)
