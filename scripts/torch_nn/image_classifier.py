"""What image classifiers share: the choice between them, augmentation, predictions.

N images, C channels, H height, W width, K classes.
"""

import torch
from torch import nn

from torch_nn.augment import cutout, flip, flip_some, random_crop
from torch_nn.cnn import CNN
from torch_nn.eval_mode import evaluating
from torch_nn.fast_cnn import FastCNN
from torch_nn.mlp import MLP

MODELS = {"mlp": MLP, "cnn": CNN, "fast_cnn": FastCNN}


def augment(
    images: torch.Tensor, *, flips: torch.Tensor, crop: int, hole: int, generator: torch.Generator
) -> torch.Tensor:
    """Flips those images (N, C, H, W) for which `flips` (N,) is True, shifts each by up to `crop`
    pixels, and makes holes `hole` pixels wide."""
    return cutout(random_crop(flip_some(images, flips), crop, generator), hole, generator)


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
