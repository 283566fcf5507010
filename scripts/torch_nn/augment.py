"""Augmentation of images as plain tensor operations on a whole batch, or a whole data set, at once.

No loader, no worker processes, no Python per image: one index expression moves every image (idea:
Jordan 2024, cifar10-airbench). N images, C channels, H height, W width, p padding; any dtype.
"""

import torch
import torch.nn.functional as F


def flip(images: torch.Tensor) -> torch.Tensor:
    """Flip every image (N, C, H, W) left to right."""
    return images.flip(-1)


def flip_some(images: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Flip those images (N, C, H, W) for which `chosen` (N,) is True.

    Choose at random in the first epoch and flip the others in the next, and so on: then any two
    epochs in a row see each image both ways, while a coin for each shows half of them the same way
    twice (Jordan 2024, section 3.6).
    """
    return torch.where(chosen[:, None, None, None], flip(images), images)


def random_crop(images: torch.Tensor, padding: int, generator: torch.Generator) -> torch.Tensor:
    """Shift each image (N, C, H, W) by up to `padding` pixels; its edge is filled by reflection.

    The same as padding to (H + 2p, W + 2p) and cutting an (H, W) window at a random place
    (He et al. 2016, section 4.2, which pads with zeros).
    """
    if padding == 0:
        return images
    n, _, height, width = images.shape
    device = images.device
    # Reflection exists for floating types alone; pixel values 0..255 are exact in float32.
    padded = F.pad(images.float(), (padding,) * 4, mode="reflect").to(images.dtype)
    padded = padded.permute(0, 2, 3, 1)  # (N, H + 2p, W + 2p, C)
    shift = torch.randint(0, 2 * padding + 1, (2, n, 1), generator=generator, device=device)
    rows = shift[0] + torch.arange(height, device=device)  # (N, H)
    columns = shift[1] + torch.arange(width, device=device)  # (N, W)
    first = torch.arange(n, device=device)[:, None, None]  # (N, 1, 1)
    cropped = padded[first, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    return cropped.permute(0, 3, 1, 2)  # (N, C, H, W)


def shift(images: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Shift all images (N, C, H, W) by as many pixels, as `random_crop` does."""
    height, width = images.shape[2:]
    p = max(abs(down), abs(right))
    padded = F.pad(images.float(), (p,) * 4, mode="reflect").to(images.dtype)
    return padded[:, :, p - down : p - down + height, p - right : p - right + width]


def cutout(images: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """Set one size x size square of each image (N, C, H, W) to that image's mean colour.

    The square's centre is uniform over the image, so it may be cut off at the edge (DeVries and
    Taylor 2017, who fill with the data set's mean).
    """
    if size == 0:
        return images
    n, _, height, width = images.shape
    device = images.device
    top = torch.randint(0, height, (n, 1), generator=generator, device=device) - size // 2
    left = torch.randint(0, width, (n, 1), generator=generator, device=device) - size // 2
    row, column = torch.arange(height, device=device), torch.arange(width, device=device)
    in_rows = (row >= top) & (row < top + size)  # (N, H)
    in_columns = (column >= left) & (column < left + size)  # (N, W)
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]  # (N, 1, H, W)
    mean = images.float().mean(dim=(2, 3), keepdim=True).to(images.dtype)  # (N, C, 1, 1)
    return torch.where(hole, mean, images)


def resize(images: torch.Tensor, side: int) -> torch.Tensor:
    """Shrink images (N, C, H, W) to (N, C, side, side), float32, each pixel a mean of those that it
    covers."""
    return F.interpolate(images.float(), (side, side), mode="bilinear", antialias=True)
