"""A multi-layer perceptron on images. N images, C channels, H height, W width, K classes."""

from collections.abc import Sequence

import torch
from torch import nn

from torch_nn.normalise import Normalise


class MLP(nn.Module):
    """Pixels, flattened, through hidden layers of Linear, BatchNorm, ReLU and Dropout.

    The shift of batch normalisation (Ioffe and Szegedy 2015) replaces the linear layer's bias;
    dropout (Srivastava et al. 2014) follows the non-linearity. The MLP does not know which pixels
    are neighbours: with the pixels of all images shuffled alike it learns just as well.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], classes: int, widths: Sequence[int], dropout: float
    ):
        """image_shape: (C, H, W); widths: units per hidden layer; dropout: share set to 0."""
        super().__init__()
        channels, height, width = image_shape
        self.normalise = Normalise(channels)
        sizes = [channels * height * width, *widths]
        hidden: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
            hidden += [
                nn.Linear(fan_in, fan_out, bias=False),
                nn.BatchNorm1d(fan_out),
                nn.ReLU(),
                nn.Dropout(dropout),
            ]
        self.hidden = nn.Sequential(*hidden)
        self.head = nn.Linear(sizes[-1], classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W), values 0..255 -> logits (N, K)."""
        x = self.normalise(images).flatten(1)  # (N, C H W)
        return self.head(self.hidden(x))  # (N, K)
