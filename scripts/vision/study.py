"""What an image classifier has learned: its first filters, shifted images."""

import numpy as np
import torch
from torch import Tensor, nn

from torch_nn.augment import shift
from torch_nn.image_classifier import probabilities
from torch_nn.mlp import MLP

FILTERS = 24  # of one model, at most
SHIFTS = 4  # pixels, at most


def first_filters(model: nn.Module) -> np.ndarray:
    """The filters of the first layer as pictures: uint8 (n, H, W, C).

    An MLP's are as large as an image; the fast CNN's are its whitening, which is not trained. Of
    more than FILTERS those with the largest weights. Zero is grey (128), and each filter's largest
    weight is black or white.
    """
    if isinstance(model, MLP):
        weight = model.hidden[0].weight.detach()  # (units, D)
        weight = weight.unflatten(1, model.image_shape)  # (units, C, H, W)
    else:
        first = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
        weight = first.weight.detach()  # (C_out, C, k, k)
    sizes = weight.flatten(1).norm(dim=1)
    weight = weight[sizes.argsort(descending=True, stable=True)[:FILTERS]]
    largest = weight.abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-12)
    return (128 + 127 * weight / largest).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def accuracy_by_shift(
    model: nn.Module, images: Tensor, label: np.ndarray, bfloat16: bool
) -> np.ndarray:
    """Accuracy on images (N, C, H, W) that are shifted by 0, 1 ... SHIFTS pixels: (SHIFTS + 1,).

    A quarter of them each goes right, left, down and up. Images of fewer pixels are shifted less.
    """
    found = []
    for pixels in range(min(SHIFTS + 1, *images.shape[2:])):
        moved = torch.empty_like(images)
        for place, direction in enumerate(((0, 1), (0, -1), (1, 0), (-1, 0))):
            down, right = (pixels * step for step in direction)
            moved[place::4] = shift(images[place::4], down, right)
        answer = probabilities(model, moved, bfloat16=bfloat16).argmax(1).numpy()  # (N,)
        found.append((answer == label).mean())
    return np.array(found)
