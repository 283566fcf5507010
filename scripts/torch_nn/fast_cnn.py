"""A convolutional network that learns from few passes over the images.

After Page (2018, DAWNBench) and Jordan (2024, arXiv:2404.00498), in a size for a processor.
N images, C channels, H height, W width, K classes.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from torch_nn.mlp import Normalise

# Enough for a covariance of 12 numbers: a thousand times 961 patches.
PATCH_IMAGES = 2000


class Whitening(nn.Module):
    """A 2x2 convolution whose outputs are uncorrelated and of variance 1: (N, C, H, W) ->
    (N, 8 C, H - 1, W - 1).

    Neighbouring pixels are nearly the same, so their differences, which hold the edges, are small
    and learned last. With the eigenvectors v_i and eigenvalues l_i of the patches' covariance, the
    filters v_i / sqrt(l_i + eps) make all directions equally large; `fit` sets them from training
    images, and they stay. Each is there with both signs, because GELU shows only one.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.convolution = nn.Conv2d(channels, 8 * channels, 2)
        self.convolution.weight.requires_grad = False
        nn.init.zeros_(self.convolution.get_parameter("bias"))

    @torch.no_grad()
    def fit(self, images: torch.Tensor, eps: float = 5e-4) -> None:
        """Take the filters from normalised training images (N, C, H, W)."""
        patches = F.unfold(images, 2).transpose(1, 2).flatten(0, 1)  # (N (H - 1) (W - 1), 4 C)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = vectors.T / (values[:, None] + eps).sqrt()  # (4 C, 4 C)
        both = torch.cat((filters, -filters))
        self.convolution.weight.copy_(both.view_as(self.convolution.weight))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(self.convolution(x))


class Convolution(nn.Module):
    """3x3 convolution, optional 2x2 max-pooling, batch normalisation, GELU.

    Pooling comes before the normalisation, which then has a quarter of the pixels to visit. The
    normalisation has a shift and no scale, which the next filters can do. Filters begin as the
    identity (the first ones pass a channel on, the others are random), so that a fresh net hands
    its input to the last layer. (N, C_in, H, W) -> (N, C_out, H', W'); pooling halves H and W.
    """

    def __init__(self, channels_in: int, channels_out: int, pool: bool):
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        nn.init.dirac_(self.convolution.weight.data[:channels_in])
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()
        self.norm = nn.BatchNorm2d(channels_out, momentum=0.2)
        self.norm.weight.requires_grad = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(self.norm(self.pool(self.convolution(x))))


class FastCNN(nn.Module):
    """Whitening, groups of two convolutions of which the first pools, global max-pooling, a head.

    For 32x32 pixels and widths a, b, c; the receptive field is the side of the square of pixels
    that a value depends on:

        layer                  grid    field  multiply-adds of an image
        whitening, 24          31x31   2      0.28 M
        convolution a, pool    15x15   5      0.208 a M
        convolution a          15x15   9      0.00203 a^2 M
        convolution b, pool    7x7     15     0.00203 a b M
        convolution b          7x7     23     0.00044 b^2 M
        convolution c, pool    3x3     35     0.00044 b c M
        convolution c          3x3     51     0.00008 c^2 M

    Any size of image will do from 2^groups + 1 pixels: a smaller one costs less. Raises ValueError
    for less.
    """

    def __init__(self, image_shape: tuple[int, int, int], classes: int, widths: Sequence[int]):
        """image_shape: (C, H, W); widths: channels of each group."""
        super().__init__()
        channels, height, width = image_shape
        if min(height, width) <= 2 ** len(widths):
            raise ValueError(f"{height}x{width} pixels cannot be halved {len(widths)} times")
        self.normalise = Normalise(channels)
        self.whitening = Whitening(channels)
        sizes = [8 * channels, *widths]
        self.groups = nn.Sequential()
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
            self.groups.append(Convolution(fan_in, fan_out, pool=True))
            self.groups.append(Convolution(fan_out, fan_out, pool=False))
        self.head = nn.Linear(sizes[-1], classes, bias=False)
        # Maxima are large: small weights begin near the loss ln K.
        nn.init.normal_(self.head.weight, std=1 / sizes[-1])
        self.to(memory_format=torch.channels_last)  # 1.4 times as fast on a CPU

    @torch.no_grad()
    def fit(self, images: torch.Tensor) -> None:
        """Set the first two layers from the training images (N, C, H, W), values 0..255."""
        self.normalise.fit(images)
        some = images[:: -(-len(images) // PATCH_IMAGES)]
        self.whitening.fit(self.normalise(some))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W), values 0..255 -> logits (N, K)."""
        x = self.whitening(self.normalise(images))  # (N, 8 C, H - 1, W - 1)
        x = self.groups(x)  # (N, widths[-1], H / 2^groups, W / 2^groups)
        return self.head(x.amax(dim=(2, 3)))  # (N, K)
