"""A convolutional network with pooling. N images, C channels, H height, W width, K classes."""

from collections.abc import Sequence

import torch
from torch import nn

from torch_nn.mlp import Normalise


class Convolution(nn.Module):
    """3x3 convolution, optional 2x2 max-pooling, batch normalisation, GELU.

    Pooling comes before the normalisation, which then has a quarter of the pixels to visit. The
    normalisation's shift replaces the convolution's bias. (N, C_in, H, W) -> (N, C_out, H', W'),
    where H' = H / 2 and W' = W / 2 with pooling, else H' = H and W' = W.
    """

    def __init__(self, channels_in: int, channels_out: int, pool: bool = False):
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()
        self.norm = nn.BatchNorm2d(channels_out)
        self.activation = nn.GELU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.norm(self.pool(self.convolution(x))))


class Stage(nn.Module):
    """A convolution that pools and widens, then `depth` - 1 convolutions of one width, with a
    shortcut around them if `residual`: y = x + f(x) (He et al. 2016, equation 1).

    (N, C_in, H, W) -> (N, C_out, H / 2, W / 2)
    """

    def __init__(self, channels_in: int, channels_out: int, depth: int, residual: bool):
        super().__init__()
        self.widen = Convolution(channels_in, channels_out, pool=True)
        self.refine = nn.Sequential(
            *(Convolution(channels_out, channels_out) for _ in range(depth - 1))
        )
        self.residual = residual and depth > 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.widen(x)  # (N, C_out, H/2, W/2)
        return x + self.refine(x) if self.residual else self.refine(x)


class CNN(nn.Module):
    """A stem, stages that halve the grid and widen the channels, global max-pooling, a linear head.

    The last grid is pooled to one value per channel (Lin et al. 2014, section 3.2, who take the
    mean), so that the head has few weights. Raises ValueError if H or W is below 2^stages.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        classes: int,
        widths: Sequence[int],
        depth: int,
        residual: bool,
        stem: int,
        dropout: float,
    ):
        """image_shape: (C, H, W); widths: channels of each stage; depth: convolutions per stage;
        stem: channels of the first convolution, whose grid is the largest and costs most; dropout:
        share of the pooled features set to 0 in training."""
        super().__init__()
        channels, height, width = image_shape
        if min(height, width) < 2 ** len(widths):
            raise ValueError(f"{height}x{width} pixels cannot be halved {len(widths)} times")
        self.normalise = Normalise(channels)
        self.stem = Convolution(channels, stem)
        sizes = [stem, *widths]
        self.stages = nn.Sequential(
            *(Stage(a, b, depth, residual) for a, b in zip(sizes, sizes[1:], strict=False))
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(sizes[-1], classes)
        # Maxima are large: a head of zeros starts at the loss ln K whatever their size.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.to(memory_format=torch.channels_last)  # 1.4 times as fast on a CPU

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W), values 0..255 -> logits (N, K)."""
        x = self.stem(self.normalise(images))  # (N, stem, H, W)
        x = self.stages(x)  # (N, widths[-1], H / 2^stages, W / 2^stages)
        x = x.amax(dim=(2, 3))  # (N, widths[-1])
        return self.head(self.dropout(x))  # (N, K)
