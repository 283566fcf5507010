"""A decoder-only language model of the 2020s: what nanoGPT's speed runs (Jordan et al. 2024) and
their neighbours found since GPT-2, where it helps a small model."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.attention import causal_mask, fused_attention, scaled_dot_product_attention
from torch_nn.cache import Cache, LayerCache
from torch_nn.dropout import Dropout
from torch_nn.language_model import LanguageModel
from torch_nn.norms import rms_norm
from torch_nn.positions import RotaryEmbedding

# Tokens that a short convolution reads: this one and the three before it.
KERNEL = 4
# No logit leaves (-15, 15).
CAP = 15.0


class ShortConvolution(nn.Conv1d):
    """y_t = x_t + sum_j w_j * x_(t - j),  j = 0 .. KERNEL - 1, each channel by itself.

    Letters make words with their neighbours. This hands each token its neighbours' channels for
    next to nothing; attention is left with what is further away (Allen-Zhu 2025, Canon layers;
    So et al. 2021, Primer). w starts at zero: at first y = x.
    """

    def __init__(self, width: int):
        super().__init__(width, width, KERNEL, groups=width, bias=False)
        nn.init.zeros_(self.weight)

    def forward(self, x: Tensor, recent: Tensor | None = None) -> Tensor:
        """x (B, T, C) -> (B, T, C). recent (B, KERNEL - 1, C): the inputs before x, zeros if there
        are none; with it given, it moves on to the last ones of x."""
        if recent is None:
            around = F.pad(x, (0, 0, KERNEL - 1, 0))  # (B, KERNEL - 1 + T, C)
        else:
            around = torch.cat([recent, x], dim=1)  # (B, KERNEL - 1 + T, C)
            recent.copy_(around[:, -(KERNEL - 1) :])
        return x + super().forward(around.transpose(1, 2)).transpose(1, 2)  # (B, T, C)


class BlockCache(LayerCache):
    """Besides keys and values: the last inputs (B, KERNEL - 1, C) of both short convolutions."""

    def __init__(self, batch_size: int, n_heads: int, capacity: int, width: int, like: Tensor):
        super().__init__(batch_size, n_heads, capacity, width, like)
        shape = (batch_size, KERNEL - 1, n_heads * width)
        self.recent = [like.new_zeros(shape), like.new_zeros(shape)]

    def select(self, rows: Tensor) -> None:
        super().select(rows)
        self.recent = [inputs[rows] for inputs in self.recent]


class Attention(nn.Module):
    """Causal attention of H heads with rotary positions, normalised queries and keys, and values
    that are averaged with the first layer's.

    q and k have a mean square of 1 (Henry et al. 2020): a score is at most `gain` sqrt(D), however
    large the weights grow; each head learns its gain. The mean with the first block's values
    (Zhou et al. 2024, value residual) keeps what the tokens are within reach of every layer.
    """

    def __init__(self, d_model: int, n_heads: int, rotary: RotaryEmbedding, fused: bool):
        super().__init__()
        self.n_heads, self.rotary, self.fused = n_heads, rotary, fused
        self.query_projection = nn.Linear(d_model, d_model, bias=False)
        self.key_projection = nn.Linear(d_model, d_model, bias=False)
        self.value_projection = nn.Linear(d_model, d_model, bias=False)
        self.output_projection = nn.Linear(d_model, d_model, bias=False)
        self.gain = nn.Parameter(torch.full((n_heads, 1, 1), 1.5))

    def split_heads(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, H, T, D)."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, T, D)

    def forward(
        self,
        x: Tensor,
        first_values: Tensor | None,
        cache: BlockCache | None,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """x (B, T, C); first_values (B, H, T, D) of the first block, None in it.

        Returns output (B, T, C), the weights (B, H, T, Tk) if they are needed or written out, and
        this layer's own values (B, H, T, D).
        """
        start = 0 if cache is None else cache.length
        q = rms_norm(self.split_heads(self.query_projection(x)))  # (B, H, T, D)
        k = rms_norm(self.split_heads(self.key_projection(x)))  # (B, H, T, D)
        q, k = self.gain * self.rotary(q, start), self.rotary(k, start)  # (B, H, T, D)
        own_values = v = self.split_heads(self.value_projection(x))  # (B, H, T, D)
        if first_values is not None:
            v = (v + first_values) / 2  # (B, H, T, D)
        if cache is not None:
            k, v = cache.extend(torch.stack([k, v]))  # (B, H, Tk, D)
        if self.fused and not need_weights:
            heads, weights = fused_attention(q, k, v, causal=True), None  # (B, H, T, D)
        else:
            mask = causal_mask(q.size(2), k.size(2), q.device)  # (T, Tk)
            heads, weights = scaled_dot_product_attention(q, k, v, mask)  # (B, H, T, D)
        joined = heads.transpose(1, 2).flatten(2)  # (B, T, C)
        return self.output_projection(joined), weights, own_values


class Block(nn.Module):
    """x <- a x + b e;  x <- x + attention(conv(norm(x)));  x <- x + feed_forward(conv(norm(x)))

    e: the normalised embeddings of the tokens; a and b are learned, 1 and 0 at the start. The
    feed-forward network is W_2 max(0, W_1 x)^2, 4 C wide (So et al. 2021). The last matrix of each
    branch starts at zero, so that at first the block is the identity.
    """

    def __init__(
        self, d_model: int, n_heads: int, dropout: float, rotary: RotaryEmbedding, fused: bool
    ):
        super().__init__()
        self.mix = nn.Parameter(torch.tensor([1.0, 0.0]))  # a, b
        self.attention_convolution = ShortConvolution(d_model)
        self.attention = Attention(d_model, n_heads, rotary, fused)
        self.feed_forward_convolution = ShortConvolution(d_model)
        self.up_projection = nn.Linear(d_model, 4 * d_model, bias=False)
        self.down_projection = nn.Linear(4 * d_model, d_model, bias=False)
        self.dropout = Dropout(dropout)
        nn.init.zeros_(self.attention.output_projection.weight)
        nn.init.zeros_(self.down_projection.weight)

    def forward(
        self,
        x: Tensor,
        embedded: Tensor,
        first_values: Tensor | None,
        cache: BlockCache | None,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """x and embedded (B, T, C); first_values (B, H, T, D), None in the first block.

        Returns x (B, T, C), the weights (B, H, T, Tk) or None, and this layer's values.
        """
        before_attention, before_feed_forward = cache.recent if cache else (None, None)
        x = self.mix[0] * x + self.mix[1] * embedded  # (B, T, C)
        h = self.attention_convolution(rms_norm(x), before_attention)  # (B, T, C)
        h, weights, values = self.attention(h, first_values, cache, need_weights)  # (B, T, C), ...
        x = x + self.dropout(h)  # (B, T, C)
        h = self.feed_forward_convolution(rms_norm(x), before_feed_forward)  # (B, T, C)
        h = self.down_projection(F.relu(self.up_projection(h)).square())  # (B, T, C)
        return x + self.dropout(h), weights, values


class ModernGPT(LanguageModel):
    """Tokens (B, T) -> logits (B, T, V) of each next token; V is the size of the vocabulary.

    No biases, no gains; an untied head that starts at zero, so that the first guess is uniform.
    Logits pass through 15 tanh(z / 15) (Gemma 2, 2024): none can run away. dropout acts on the
    embeddings and on each branch. attention: "fused" or "explicit", the same within 1e-5.
    The matrices of `blocks` are for Muon, all else for AdamW.
    """

    blocks: nn.ModuleList

    def __init__(
        self,
        vocab_size: int,
        context: int,
        n_layers: int,
        n_heads: int,
        d_model: int,
        dropout: float = 0.0,
        attention: str = "fused",
    ):
        super().__init__()
        self.context = context
        self.head_shape = n_heads, context, d_model // n_heads  # of a block's cache
        rotary = RotaryEmbedding(context, d_model // n_heads)
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(d_model, n_heads, dropout, rotary, attention == "fused") for _ in range(n_layers)
        )
        self.output_projection = nn.Linear(d_model, vocab_size, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.5)
        nn.init.zeros_(self.output_projection.weight)

    def new_cache(self, batch_size: int) -> Cache:
        """An empty cache for `batch_size` sequences of at most `context` tokens."""
        shape = batch_size, *self.head_shape
        return Cache([BlockCache(*shape, self.embedding.weight) for _ in self.blocks])

    def _logits(
        self, tokens: Tensor, cache: Cache | None, need_weights: bool
    ) -> tuple[Tensor, list[Tensor]]:
        end = tokens.size(1) + (cache.length if cache else 0)
        if end > self.context:
            raise ValueError(f"{end} tokens do not fit into a context of {self.context}")
        x = embedded = self.dropout(rms_norm(self.embedding(tokens)))  # (B, T, C)
        first_values: Tensor | None = None
        all_weights: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            layer = cache.layers[number] if cache else None
            x, weights, values = block(x, embedded, first_values, layer, need_weights)
            first_values = values if first_values is None else first_values  # (B, H, T, D)
            if weights is not None:
                all_weights.append(weights)
        z = self.output_projection(rms_norm(x))  # (B, T, V)
        return CAP * torch.tanh(z / CAP), all_weights

    def forward_with_attention(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, T, V), and the attention weights of each layer (B, H, T, T)."""
        return self._logits(tokens, None, need_weights=True)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens (B, T) int64 -> logits (B, T, V).

        cache: the tokens follow those in it, which are not read again, and are added to it. Tokens
        and cache together hold at most `context`, else ValueError is raised.
        """
        return self._logits(tokens, cache, need_weights=False)[0]
