"""Inverted dropout (Srivastava et al. 2014) from 16 random bits per element."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """In training, each element is zero with probability p and else divided by 1 - p.

    torch.nn.Dropout draws a whole random number per element, which on a CPU takes more time than
    all matrix products of a small Transformer. Here four elements share one 64-bit number, and p is
    rounded to a multiple of 2^-16 below 1. Raises ValueError unless 0 <= p < 1.
    """

    def __init__(self, p: float = 0.0):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout: expected 0 <= p < 1, found {p}")
        self.dropped = min(round(p * 2**16), 2**16 - 1)

    def acts(self) -> bool:
        """Whether anything is dropped: in training, unless p is 0."""
        return self.training and self.dropped > 0

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape -> the same shape and dtype."""
        if not self.acts():
            return x
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None)  # all 64 bits
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        # As int16 they are uniform over [-2^15, 2^15): `dropped` of the 2^16 values lie below.
        keep = (bits >= self.dropped - 2**15).to(x.dtype)
        return x * keep.mul_(2**16 / (2**16 - self.dropped))
