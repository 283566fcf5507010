"""What the trainings share: which weights decay, a step with a clipped gradient, the average of
the weights over the steps."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two parameter groups for an optimizer: matrices and kernels decay, vectors (biases, gains of
    norms) do not. A tied matrix is in its group once."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def clipped_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, lr: float, clip: float
) -> float:
    """One step with learning rate lr down the gradient of `loss` (scalar); returns the loss.

    clip: the gradient's largest Euclidean norm (Pascanu, Mikolov and Bengio 2013). If the loss or
    the gradient is not finite, the weights stay unchanged and the value is NaN.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip).item()
    value = loss.item()
    if not (math.isfinite(value) and math.isfinite(norm)):
        return math.nan
    optimizer.step()
    return value


def weight_average(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` that follows it: average = decay * average + (1 - decay) * weights.

    Call `update_parameters(model)` after each step; decay 0 is the model itself. Source: Polyak and
    Juditsky 1992, in the exponential form of the TensorFlow and torch optimisers.
    """
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
