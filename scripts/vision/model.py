"""The room's models: built from their settings, named, and measured."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.errors import InputError
from torch_nn import image_classifier
from torch_nn.filter_muon import FilterMuon
from torch_nn.optimisation import Optimizers, decay_groups
from vision.settings import Model, TrainSpec

# Kind -> what people call it, and which settings are its shape.
KINDS = {
    "mlp": ("MLP", {"widths", "dropout"}),
    "cnn": ("CNN", {"widths", "hidden", "dropout"}),
    "fast_cnn": ("fast CNN", {"widths"}),
}


def build(shape: Model, image_shape: Sequence[int], classes: int) -> nn.Module:
    """The model for images of `image_shape` (C, H, W), with fresh weights.

    Raises InputError if it does not fit them.
    """
    settings = shape.model_dump(include=KINDS[shape.model][1])
    try:
        return image_classifier.MODELS[shape.model](tuple(image_shape), classes, **settings)
    except ValueError as error:
        raise InputError(f"vision.{shape.model}: {error}. Change its widths.") from None


def title(shape: Model) -> str:
    """What the leaderboard calls it: "MLP 512-256", "fast CNN 64-128-256"."""
    return f"{KINDS[shape.model][0]} {'-'.join(map(str, shape.widths))}"


def optimizer(model: nn.Module, spec: TrainSpec) -> torch.optim.Optimizer | Optimizers:
    """Nesterov's SGD; for the fast CNN Muon for the filters, SGD with rates of their own for the
    shifts and the last layer."""
    if spec.model != "fast_cnn":
        groups = decay_groups(model, spec.weight_decay)
        return torch.optim.SGD(groups, spec.lr, spec.momentum, nesterov=spec.momentum > 0)
    trained = [p for p in model.parameters() if p.requires_grad]
    rates = {1: spec.bias_lr, 2: spec.head_lr}
    groups = [
        {
            "params": [p for p in trained if p.dim() == axes],
            "lr_scale": rate / spec.lr,
            # SGD multiplies it by the rate: the share that is lost in a step is the same for all.
            "weight_decay": spec.weight_decay / rate,
        }
        for axes, rate in rates.items()
    ]
    filters = [p for p in trained if p.dim() == 4]
    return Optimizers(
        torch.optim.SGD(groups, spec.lr, spec.momentum, nesterov=spec.momentum > 0),
        FilterMuon(filters, spec.lr, spec.momentum),
    )


def evaluate(
    model: nn.Module, images: Tensor, labels: Tensor, bfloat16: bool, flips: bool = False
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy on uint8 images (N, C, H, W), labels (N,).

    flips: of the mean over each image and its flip.
    """
    found = image_classifier.probabilities(model, images, bfloat16=bfloat16, flips=flips)  # (N, K)
    nats = -found.gather(1, labels[:, None]).clamp_min(1e-12).log().double().mean().item()
    return nats, (found.argmax(1) == labels).double().mean().item()
