"""What the trainings share: which weights decay, a step with a clipped gradient, the average of
the weights over the steps."""

import math
from collections.abc import Iterable
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


class Optimizers:
    """Several optimizers, each for its own parameters, that step as one."""

    def __init__(self, *optimizers: torch.optim.Optimizer):
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all, in order."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        states = enumerate(optimizer.state_dict() for optimizer in self.optimizers)
        return {str(number): state for number, state in states}

    def load_state_dict(self, states: dict[str, Any]) -> None:
        for number, optimizer in enumerate(self.optimizers):
            optimizer.load_state_dict(states[str(number)])


def clipped_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | Optimizers,
    loss: Tensor | Iterable[Tensor],
    lr: float,
    clip: float,
    scaler: torch.amp.GradScaler | None = None,
) -> float:
    """One step with learning rate lr down the gradient of `loss` (scalar); returns the loss.

    loss: a large batch may come in parts, as losses that add up to that of the whole: their
    gradients are added one by one, and only one part at a time is in memory.
    lr: a parameter group with an entry `lr_scale` gets lr * lr_scale.
    clip: the gradient's largest Euclidean norm (Pascanu, Mikolov and Bengio 2013). If the loss or
    the gradient is not finite, the weights stay unchanged and the value is NaN.
    scaler: for float16, whose gradients would vanish unscaled. Where its scale is too large for the
    gradient to be finite, it skips the step and takes a smaller one from then on.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_scale", 1.0)
    optimizer.zero_grad()
    value = 0.0
    for part in [loss] if isinstance(loss, Tensor) else loss:
        (scaler.scale(part) if scaler else part).backward()
        value += part.item()
    if scaler:
        scaler.unscale_(optimizer)  # type: ignore[arg-type]
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip).item()
    if not (math.isfinite(value) and (scaler or math.isfinite(norm))):
        return math.nan
    if scaler:
        scaler.step(optimizer)  # type: ignore[arg-type]
        scaler.update()
    else:
        optimizer.step()
    return value


def weight_average(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` that follows it: average = decay * average + (1 - decay) * weights.

    Call `update_parameters(model)` after each step; decay 0 is the model itself. Source: Polyak and
    Juditsky 1992, in the exponential form of the TensorFlow and torch optimisers.
    """
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
