"""What image classifiers share: the choice between them, augmentation, predictions.

N images, C channels, H height, W width, K classes.
"""

from collections.abc import Sequence

import torch
from torch import nn

from torch_nn.augment import cutout, flip, random_crop, random_flip
from torch_nn.cnn import CNN
from torch_nn.eval_mode import evaluating
from torch_nn.mlp import MLP


def build(
    model: str,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    widths: Sequence[int],
    dropout: float,
    stem: int = 0,
    depth: int = 1,
    residual: bool = False,
) -> nn.Module:
    """An "mlp" or a "cnn" for images of `image_shape` (C, H, W); stem, depth and residual are the
    CNN's alone. Raises ValueError for another model, or if the CNN's stages do not fit."""
    if model == "mlp":
        return MLP(image_shape, classes, widths, dropout)
    if model == "cnn":
        return CNN(image_shape, classes, widths, depth, residual, stem, dropout)
    raise ValueError(f"model: expected 'mlp' or 'cnn', found {model!r}")


def augment(
    images: torch.Tensor, *, flips: bool, crop: int, hole: int, generator: torch.Generator
) -> torch.Tensor:
    """Random flips (if `flips`), crops with `crop` pixels of padding, holes `hole` pixels wide."""
    if flips:
        images = random_flip(images, generator)
    return cutout(random_crop(images, crop, generator), hole, generator)


def logits(model: nn.Module, images: torch.Tensor, bfloat16: bool) -> torch.Tensor:
    """Logits (N, K), float32. bfloat16: matrix products and convolutions in bfloat16."""
    images = images.float().contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=bfloat16):
        return model(images).float()


def probabilities(
    model: nn.Module,
    images: torch.Tensor,
    *,
    bfloat16: bool,
    flips: bool = False,
    batch_size: int = 500,
) -> torch.Tensor:
    """Class probabilities (N, K), float32, of images (N, C, H, W).

    flips: the mean over each image and its flip (test-time augmentation), twice the work.
    Without dropout; afterwards the model is in the mode of before.
    """
    device = next(model.parameters()).device
    batches = []
    with evaluating(model):
        for batch in images.split(batch_size):
            views = [batch, flip(batch)] if flips else [batch]
            found = [logits(model, view.to(device), bfloat16).softmax(1) for view in views]
            batches.append(torch.stack(found).mean(0).cpu())  # (N, K)
    return torch.cat(batches)
