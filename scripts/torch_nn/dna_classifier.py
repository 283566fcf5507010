"""An encoder-only Transformer that classifies DNA.

Letters of the shape comments: B batch, L letters, T tokens, P places that attention sees (T, or
fewer behind a stem that pools), C channels (d_model), K classes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.dna_tokens import PAD, BytePairs, KMers, Nucleotides, Tokens
from torch_nn.dropout import Dropout
from torch_nn.encoder import Encoder, LayerShape, Sublayer
from torch_nn.positions import POSITIONS, RotaryEmbedding

POOLINGS = ("cls", "mean", "max", "attention", "flatten")


class Shape(LayerShape):
    """A layer whose dropout leaves the attention weights alone.

    Then no (B, H, P, P) array is kept for the backward pass: PyTorch's fused kernel needs none.
    """

    def make_attention(
        self, causal: bool = False, rotary: RotaryEmbedding | None = None
    ) -> Sublayer:
        heads = MultiHeadAttention(self.d_model, self.n_heads, rotary=rotary, fused=True)
        return Sublayer(heads, self)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe and Szegedy 2015) of x (B, C, T) over its real places alone."""

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """real: bool (B, T), None if all are -> (B, C, T), with zeros where it is False."""
        if real is None:
            return super().forward(x)
        rows = x.transpose(1, 2)  # (B, T, C)
        normed = torch.zeros_like(rows)  # (B, T, C)
        normed[real] = super().forward(rows[real])  # (places, C)
        return normed.transpose(1, 2)  # (B, C, T)


class StemBlock(nn.Module):
    """Convolution, the largest value of each `pool` places, batch normalisation if `norm`, GELU; a
    shortcut around them where neither width nor places change (He et al. 2016, equation 1).

    A kernel is a detector of one motif, of `kernel` tokens; pooling forgets where exactly it was
    found, and makes the encoder behind it cheaper by `pool` and more.
    """

    def __init__(self, channels_in: int, channels: int, kernel: int, pool: int, norm: bool):
        super().__init__()
        self.convolution = nn.Conv1d(channels_in, channels, kernel, padding=kernel // 2)
        self.norm = BatchNorm(channels) if norm else None
        self.pool = pool

    def forward(self, x: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """x (B, C_in, T), zero where real (B, T) is False -> (B, C, T / pool, rounded up), and what
        of it is real: the places that cover a real one."""
        y = self.convolution(x)  # (B, C, T)
        if self.pool > 1:
            if real is not None:
                y = y.masked_fill(~real.unsqueeze(1), -torch.inf)
                real = real[:, :: self.pool]
            y = F.max_pool1d(y, self.pool, ceil_mode=True)  # (B, C, T / pool)
        if real is not None:
            y = y.masked_fill(~real.unsqueeze(1), 0.0)
        if self.norm is not None:
            y = self.norm(y, real)
        y = F.gelu(y)  # (B, C, T / pool)
        return (x + y if x.shape == y.shape else y), real


class DNAClassifier(nn.Module):
    """Tokens, embedding, convolutional stem, positions, encoder layers, pooling, linear head.

    Padding is never attended to, never pooled, and a convolution sees zeros there as beyond the
    ends, so that it does not change the result.
    tokens: "nucleotides", "k-mers" of k letters, or "byte pairs", `merges` of them, which
    `tokens.learn` finds on the training sequences (torch_nn.dna_tokens).
    token_width: channels of a token's embedding; None: d_model. The stem may widen it.
    stem_kernel: tokens of the first convolution, so that attention compares motifs instead of
    single letters, which say little; 0 leaves the stem out. stem_pools: a convolution for each, the
    further ones of stem_inner_kernel places, and the max pooling after it; stem_norm: batch
    normalisation in them.
    positions: "learned" or "sinusoidal", added before the encoder, or "rotary", in its attention.
    n_layers: 0 leaves a plain convolutional net.
    pooling: "cls" reads a learned token set before the sequence, as BERT does (Devlin et al. 2019);
    "mean" and "max" are over the places; "attention" is a mean with learned weights (Bahdanau et
    al. 2015, with one query); "flatten" gives each place its own weights in the head, for data that
    is aligned to a site.
    dropout: in embedding and layers, but not of attention weights; head_dropout: before the head.
    Raises ValueError for settings that do not fit together.
    """

    def __init__(
        self,
        max_length: int,
        n_classes: int,
        *,
        tokens: str = "nucleotides",
        k: int = 6,
        merges: int = 250,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        d_ff: int = 128,
        dropout: float = 0.1,
        head_dropout: float = 0.1,
        token_width: int | None = None,
        stem_kernel: int = 0,
        stem_inner_kernel: int = 5,
        stem_pools: Sequence[int] = (1,),
        stem_norm: bool = False,
        positions: str = "learned",
        pooling: str = "mean",
    ):
        super().__init__()
        makers: dict[str, Callable[[], Tokens]]
        makers = {"nucleotides": Nucleotides, "k-mers": partial(KMers, k)}
        makers["byte pairs"] = partial(BytePairs, merges)
        for name, found, known in (
            ("tokens", tokens, makers),
            ("positions", positions, (*POSITIONS, "rotary")),
            ("pooling", pooling, POOLINGS),
        ):
            if found not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, found {found!r}")
        if stem_kernel % 2 == 0 and stem_kernel or stem_inner_kernel % 2 == 0:
            kernels = f"{stem_kernel} and {stem_inner_kernel}"
            raise ValueError(f"stem kernels: expected odd widths, found {kernels}")
        if token_width not in (None, d_model) and not stem_kernel:
            raise ValueError(f"token_width: {token_width} is not d_model, and no stem widens it")
        self.tokens: Tokens = makers[tokens]()
        width = token_width or d_model
        self.embedding = nn.Embedding(self.tokens.vocabulary, width, padding_idx=self.tokens.pad)
        self.stem = nn.ModuleList()
        for number, pool in enumerate(stem_pools if stem_kernel else ()):
            kernel = stem_inner_kernel if number else stem_kernel
            widths = (d_model if number else width), d_model
            self.stem.append(StemBlock(*widths, kernel, pool, stem_norm))
        self.pool_factor = prod(stem_pools) if stem_kernel else 1
        self.places = ceil(self.tokens.most(max_length) / self.pool_factor)  # P at most
        self.max_length, self.d_model, self.pooling = max_length, d_model, pooling
        rotary = None
        if positions == "rotary":
            rotary = RotaryEmbedding(self.places + (pooling == "cls"), d_model // n_heads)
            self.positions: nn.Module = Dropout(dropout)
        else:
            self.positions = POSITIONS[positions](self.places, d_model, dropout)
        self.cls = nn.Parameter(torch.zeros(1, 1, d_model)) if pooling == "cls" else None
        shape = Shape(d_model, n_heads, d_ff, dropout, activation="gelu", pre_norm=True)
        self.encoder = Encoder(n_layers, shape, rotary=rotary)
        self.attend = nn.Linear(d_model, 1) if pooling == "attention" else None
        self.head_dropout = nn.Dropout(head_dropout)
        self.head = nn.Linear(d_model * (self.places if pooling == "flatten" else 1), n_classes)
        with torch.no_grad():
            self.embedding.weight[: self.tokens.pad].normal_(std=0.5)

    def encode(
        self, letters: Tensor, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        """letters (B, L) -> what the encoder makes of each place (B, P, C), which of them are real
        (B, P), None if all are, and the attention weights of each layer (B, H, P, P), if needed.

        Pooling "cls" adds its token in front: 1 + P places.
        """
        longest = max(int((letters != PAD).sum(dim=1).max()), 1)
        tokens = self.tokens(letters[:, :longest])  # (B, T)
        padded = tokens == self.tokens.pad  # (B, T)
        real = ~padded if padded.any() else None  # (B, T)
        x = self.embedding(tokens)  # (B, T, C_in)
        if len(self.stem):
            x = x.transpose(1, 2)  # (B, C_in, T)
            for block in self.stem:
                x, real = block(x, real)  # (B, C, P), (B, P)
            x = x.transpose(1, 2)  # (B, P, C)
        x = self.positions(x)  # (B, P, C)
        if self.cls is not None:
            x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1)  # (B, 1 + P, C)
            real = None if real is None else F.pad(real, (1, 0), value=True)  # (B, 1 + P)
        mask = None if real is None else real.unsqueeze(1).unsqueeze(2)  # (B, 1, 1, P)
        x, weights = self.encoder(x, mask, need_weights=need_weights)  # (B, P, C), (B, H, P, P)
        return x, real, weights

    def forward(self, letters: Tensor) -> Tensor:
        """letters (B, L) int64, L <= max_length, padded on the right -> logits (B, K)."""
        x, real, _ = self.encode(letters)
        return self.head(self.head_dropout(self.pool(x, real)))  # (B, K)

    def forward_with_attention(self, letters: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, K), and the attention weights of each layer (B, H, P, P): see `encode`."""
        x, real, weights = self.encode(letters, need_weights=True)
        return self.head(self.head_dropout(self.pool(x, real))), weights  # (B, K)

    def place_names(self, letters: Tensor) -> list[str]:
        """The letters that each place covers, of one sequence (1, L) -> P texts."""
        tokens = self.tokens(letters)[0]  # (T,)
        real = tokens[tokens != self.tokens.pad].tolist()
        starts = range(0, len(real), self.pool_factor)
        return [self.tokens.text(real[start : start + self.pool_factor]) for start in starts]

    def pool(self, x: Tensor, real: Tensor | None) -> Tensor:
        """x (B, P, C), real (B, P) -> (B, C), or (B, places * C) for "flatten"."""
        if self.pooling == "cls":
            return x[:, 0]  # (B, C)
        if real is None:
            real = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)  # (B, P)
        real = real.unsqueeze(2)  # (B, P, 1)
        if self.pooling == "max":
            return torch.where(real, x, torch.finfo(x.dtype).min).amax(dim=1)  # (B, C)
        if self.attend is not None:
            scores = torch.where(real, self.attend(x), torch.finfo(x.dtype).min)  # (B, P, 1)
            return (scores.softmax(dim=1) * x).sum(dim=1)  # (B, C)
        x = x * real  # (B, P, C)
        if self.pooling == "mean":
            return x.sum(dim=1) / real.sum(dim=1).clamp(min=1)  # (B, C)
        x = F.pad(x, (0, 0, 0, self.places - x.size(1)))  # (B, places, C)
        return x.flatten(1)  # (B, places * C)
