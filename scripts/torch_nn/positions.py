"""Positions of tokens: attention alone does not see their order.

Sinusoidal and learned positions are added to the embeddings; rotary ones turn queries and keys.
All know max_length positions; a longer input raises ValueError.
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

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (B, T, C), whose first token is at position `start` -> (B, T, C)."""
        return self.dropout(x + _rows(self.table, start, x.size(1)))  # (B, T, C)


class LearnedPositionalEmbedding(nn.Module):
    """Adds a learned vector per position to x, then drops out (as in GPT-2 and BERT)."""

    def __init__(self, max_length: int, d_model: int, dropout: float = 0.0):
        super().__init__()
        self.embedding = nn.Embedding(max_length, d_model)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (B, T, C), whose first token is at position `start` -> (B, T, C)."""
        return self.dropout(x + _rows(self.embedding.weight, start, x.size(1)))  # (B, T, C)


class RotaryEmbedding(nn.Module):
    """Turns queries and keys by angles that grow with the position (Su et al. 2021, section 3.2.2).

    Channels i and i + D/2 are a point of the plane, turned at position t by t / base^(2i / D).
    Two turned vectors have a scalar product that depends on the distance of their positions alone:
    turning q by a and k by b leaves the angle between them changed by a - b. Values are not turned.
    The paper pairs the channels 2i and 2i + 1; this pairing is Llama's, whose weights then fit.
    The table is computed, not learned, so the saved weights do not contain it.
    Raises ValueError if the width of a head is odd.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, max_length: int, width: int, base: float = 10_000.0):
        super().__init__()
        if width % 2:
            raise ValueError(f"rotary positions come in pairs: a head's width {width} is odd")
        position = torch.arange(max_length, dtype=torch.float64).unsqueeze(1)  # (T, 1)
        pair = torch.arange(0, width, 2, dtype=torch.float64)  # (D/2,), the exponents' 2i
        angle = position / base ** (pair / width)  # (T, D/2)
        cosine, sine = angle.cos().float(), angle.sin().float()  # (T, D/2) each
        self.register_buffer("cosine", torch.cat([cosine, cosine], -1), persistent=False)  # (T, D)
        self.register_buffer("sine", torch.cat([-sine, sine], -1), persistent=False)  # (T, D)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (..., T, D), whose first token is at position `start` -> (..., T, D).

        (x_i, x_j) becomes (x_i cos - x_j sin, x_j cos + x_i sin).
        """
        cosine = _rows(self.cosine, start, x.size(-2)).to(x.dtype)  # (T, D)
        sine = _rows(self.sine, start, x.size(-2)).to(x.dtype)  # (T, D)
        partner = x.roll(x.size(-1) // 2, dims=-1)  # (..., T, D): the other point of each pair
        return torch.addcmul(x * cosine, partner, sine)  # (..., T, D)


POSITIONS = {"sinusoidal": SinusoidalPositionalEncoding, "learned": LearnedPositionalEmbedding}


def _rows(table: Tensor, start: int, length: int) -> Tensor:
    """Those of the positions start to start + length - 1: (T, C)."""
    if start + length > len(table):
        raise ValueError(
            f"{start + length} tokens need more than the {len(table)} positions there are"
        )
    return table[start : start + length]
