"""The size of a model."""

from torch import nn


def parameter_count(model: nn.Module) -> int:
    """How many numbers training changes: a tied matrix counts once, buffers do not count."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
