"""Norms of a token's vector: torch's LayerNorm, and RMSNorm written out."""

import torch
from torch import Tensor, nn


def rms_norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the channels of x (..., C), of the same dtype.

    The statistics are computed in float32, whatever the dtype of x.
    """
    mean_square = x.float().square().mean(dim=-1, keepdim=True)  # (..., 1)
    return (x * torch.rsqrt(mean_square + eps)).to(x.dtype)  # (..., C)


class RMSNorm(nn.Module):
    """y = g x / sqrt(mean(x^2) + eps), over the channels (Zhang and Sennrich 2019, equation 4).

    LayerNorm without subtracting the mean and without a bias: x is scaled to a mean square of 1.
    gain: with the learned g (C,), which starts at one; without it there are no parameters.
    The statistics are computed in float32, whatever the dtype of x.
    """

    def __init__(self, width: int, eps: float = 1e-6, gain: bool = True):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width)) if gain else None

    def forward(self, x: Tensor) -> Tensor:
        """x (..., C) -> (..., C), of the same dtype."""
        y = rms_norm(x, self.eps)  # (..., C)
        return y if self.weight is None else y * self.weight


NORMS = {"layer": nn.LayerNorm, "rms": RMSNorm}
