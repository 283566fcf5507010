"""A multi-layer perceptron on images, and its first layer, which every image model begins with.

N images, C channels, H height, W width, K classes.
"""

from collections.abc import Sequence

import torch
from torch import nn


class Normalise(nn.Module):
    """y = (x - mean_c) / std_c for each channel c; the numbers are buffers, set by `fit`, so that a
    weights file is complete."""

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


class MLP(nn.Module):
    """Pixels, flattened, through hidden layers of Linear, BatchNorm, ReLU and Dropout.

    The shift of batch normalisation (Ioffe and Szegedy 2015) replaces the linear layer's bias;
    dropout (Srivastava et al. 2014) follows the non-linearity. The MLP does not know which pixels
    are neighbours: with the pixels of all images shuffled alike it learns just as well.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        classes: int,
        widths: Sequence[int],
        dropout: float,
    ):
        """image_shape: (C, H, W); widths: units per hidden layer; dropout: share set to 0."""
        super().__init__()
        channels, height, width = self.image_shape = image_shape
        self.normalise = Normalise(channels)
        sizes = [channels * height * width, *widths]
        hidden: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
            hidden += [nn.Linear(fan_in, fan_out, bias=False), nn.BatchNorm1d(fan_out)]
            hidden += [nn.ReLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*hidden)
        self.head = nn.Linear(sizes[-1], classes)

    @torch.no_grad()
    def fit(self, images: torch.Tensor) -> None:
        """Set the first layer from the training images (N, C, H, W), values 0..255."""
        self.normalise.fit(images)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W), values 0..255 -> logits (N, K)."""
        x = self.normalise(images).flatten(1)  # (N, C H W)
        return self.head(self.hidden(x))  # (N, K)
