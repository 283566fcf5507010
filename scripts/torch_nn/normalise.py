"""Standardised pixels as the first layer of a model, so that its weights file is complete."""

import torch
from torch import nn


class Normalise(nn.Module):
    """y = (x - mean_c) / std_c for each channel c; the numbers are buffers, set by `fit`."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))

    @torch.no_grad()
    def fit(self, images: torch.Tensor) -> None:
        """Take mean and standard deviation of the training images (N, C, H, W), values 0..255."""
        # In float32, sums over 45 million values would lose the last digits.
        values = images.to(torch.float64)
        self.mean.copy_(values.mean(dim=(0, 2, 3)))
        self.std.copy_(values.std(dim=(0, 2, 3), correction=0).clamp_min(1e-6))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) of any dtype -> float32 of the same shape."""
        return (images.float() - self.mean[:, None, None]) / self.std[:, None, None]
