"""An encoder-only Transformer that classifies DNA, nucleotide by nucleotide.

Letters of the shape comments: B batch, T nucleotides, C channels (d_model), K classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.encoder import Encoder, LayerShape
from torch_nn.positions import LearnedPositionalEmbedding

POOLINGS = ("cls", "mean", "flatten")


class DNAClassifier(nn.Module):
    """Token embedding, learned positions, encoder layers, pooling, linear head.

    vocabulary: number of tokens; pad_token: the last of them, which fills a row up. It is never
    attended to and its output never pooled, so that padding does not change the result.
    stem_kernel: width in nucleotides of a convolution over the embedded tokens, added to them, so
    that attention compares k-mers instead of single letters, which say little; 0 leaves it out.
    (DNABERT, Ji et al. 2021, joins k letters to a token for the same reason.)
    pooling: "cls" reads a learned token set before the sequence, as BERT does (Devlin et al. 2019);
    "mean" averages over the nucleotides; "flatten" gives each position its own weights in the head,
    for data that is aligned to a site.
    dropout: in embedding, attention, feed-forward; head_dropout: before the head.
    Leaves out: pretraining, from which published DNA encoders have most of their knowledge.
    Raises ValueError for settings that do not fit together.
    """

    def __init__(
        self,
        vocabulary: int,
        pad_token: int,
        max_length: int,
        n_classes: int,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        d_ff: int = 128,
        dropout: float = 0.1,
        head_dropout: float = 0.1,
        stem_kernel: int = 0,
        pooling: str = "mean",
    ):
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling: expected one of {POOLINGS}, found {pooling!r}")
        if stem_kernel and stem_kernel % 2 == 0:
            raise ValueError(f"stem_kernel: expected 0 or an odd width, found {stem_kernel}")
        self.pad_token, self.max_length, self.pooling = pad_token, max_length, pooling
        self.embedding = nn.Embedding(vocabulary, d_model, padding_idx=pad_token)
        self.stem: nn.Module | None = None
        if stem_kernel:
            convolution = nn.Conv1d(d_model, d_model, stem_kernel, padding=stem_kernel // 2)
            self.stem = nn.Sequential(convolution, nn.GELU())
        self.cls = nn.Parameter(torch.zeros(1, 1, d_model)) if pooling == "cls" else None
        self.positions = LearnedPositionalEmbedding(max_length, d_model, dropout)
        shape = LayerShape(d_model, n_heads, d_ff, dropout, activation="gelu", pre_norm=True)
        self.encoder = Encoder(n_layers, shape)
        self.head_dropout = nn.Dropout(head_dropout)
        self.head = nn.Linear(d_model * (max_length if pooling == "flatten" else 1), n_classes)
        with torch.no_grad():
            self.embedding.weight[:pad_token].normal_(std=0.5)

    def forward_with_attention(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, K), and the attention weights of each layer (B, H, T, T), to which pooling
        "cls" adds its token in front: (B, H, 1 + T, 1 + T).
        """
        real = tokens != self.pad_token  # (B, T)
        x = self.embedding(tokens)  # (B, T, C)
        if self.stem is not None:
            k_mers = self.stem(x.transpose(1, 2))  # (B, C, T)
            x = x + k_mers.transpose(1, 2)  # (B, T, C)
        x = self.positions(x)  # (B, T, C)
        if self.cls is not None:
            x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1)  # (B, 1 + T, C)
            real = F.pad(real, (1, 0), value=True)  # (B, 1 + T)
        mask = real.unsqueeze(1).unsqueeze(2)  # (B, 1, 1, T)
        x, weights = self.encoder(x, mask)  # (B, T, C), (B, H, T, T) each
        logits = self.head(self.head_dropout(self.pool(x, real)))  # (B, K)
        return logits, weights

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (B, T) int64, T <= max_length, padded on the right -> logits (B, K)."""
        logits, _ = self.forward_with_attention(tokens)
        return logits

    def pool(self, x: Tensor, real: Tensor) -> Tensor:
        """x (B, T, C), real (B, T) bool -> (B, C), or (B, max_length * C) for "flatten"."""
        if self.pooling == "cls":
            return x[:, 0]  # (B, C)
        x = x * real.unsqueeze(2)  # (B, T, C)
        if self.pooling == "mean":
            return x.sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)  # (B, C)
        x = F.pad(x, (0, 0, 0, self.max_length - x.size(1)))  # (B, max_length, C)
        return x.flatten(1)  # (B, max_length * C)
