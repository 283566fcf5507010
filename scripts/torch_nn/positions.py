"""Positions of tokens, added to their embeddings: attention alone does not see their order.

Both modules know max_length positions; a longer input raises ValueError.
"""

import math

import torch
from torch import Tensor, nn

from torch_nn.dropout import Dropout


def sinusoidal_table(length: int, d_model: int) -> Tensor:
    """The fixed table of section 3.5 of Vaswani et al. 2017, float32 (T, C).

    PE(pos, 2i) = sin(pos / 10000^(2i / C)),  PE(pos, 2i + 1) = cos(pos / 10000^(2i / C)).
    Each pair (sine, cosine) is the hand of a clock: the first turns by one radian per token, each
    further one more slowly. Fast hands tell neighbours apart, slow ones distant positions. A shift
    by k turns each hand by the angle k / 10000^(2i / C), wherever it starts, so that PE(pos + k) is
    a linear map of PE(pos) (docs/part2.md shows it).
    Raises ValueError if d_model is odd.
    """
    if d_model % 2:
        raise ValueError(f"sinusoidal positions come in pairs: d_model {d_model} is odd")
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)  # (T, 1)
    pair = torch.arange(0, d_model, 2, dtype=torch.float64)  # (C/2,), the exponents' 2i
    angle = position * torch.exp(-math.log(10_000.0) * pair / d_model)  # (T, C/2)
    table = torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1)  # (T, C/2, 2)
    return table.flatten(1).float()  # (T, C), sine and cosine alternating


class SinusoidalPositionalEncoding(nn.Module):
    """Adds the fixed sinusoidal table to x, then drops out (sections 3.5 and 5.4).

    The table is computed, not learned, so the saved weights do not contain it.
    """

    table: Tensor

    def __init__(self, max_length: int, d_model: int, dropout: float = 0.0):
        super().__init__()
        self.register_buffer("table", sinusoidal_table(max_length, d_model), persistent=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        return self.dropout(x + _first_rows(self.table, x.size(1)))  # (B, T, C)


class LearnedPositionalEmbedding(nn.Module):
    """Adds a learned vector per position to x, then drops out (as in GPT-2 and BERT)."""

    def __init__(self, max_length: int, d_model: int, dropout: float = 0.0):
        super().__init__()
        self.embedding = nn.Embedding(max_length, d_model)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        return self.dropout(x + _first_rows(self.embedding.weight, x.size(1)))  # (B, T, C)


POSITIONS = {"sinusoidal": SinusoidalPositionalEncoding, "learned": LearnedPositionalEmbedding}


def _first_rows(table: Tensor, length: int) -> Tensor:
    """Those of the positions 0 to length - 1: (T, C)."""
    if length > len(table):
        raise ValueError(f"{length} tokens need more than the {len(table)} positions there are")
    return table[:length]
