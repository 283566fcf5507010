"""The room's models: built from their settings, named, and measured."""

from collections.abc import Sequence

from torch import Tensor, nn

from pipeline.errors import InputError
from torch_nn import image_classifier
from vision.settings import Model


def build(shape: Model, image_shape: Sequence[int], classes: int) -> nn.Module:
    """The MLP or CNN for images of `image_shape` (C, H, W), with fresh weights.

    Raises InputError if it does not fit them.
    """
    channels, height, width = image_shape
    settings = shape.model_dump(include={"widths", "dropout", "stem", "depth", "residual"})
    try:
        return image_classifier.build(shape.model, (channels, height, width), classes, **settings)
    except ValueError as error:
        raise InputError(f"vision.{shape.model}: {error}. Change its widths.") from None


def title(shape: Model) -> str:
    """What the leaderboard calls it: "MLP 512-256", "CNN 64-128-256"."""
    return f"{shape.model.upper()} {'-'.join(map(str, shape.widths))}"


def evaluate(
    model: nn.Module, images: Tensor, labels: Tensor, bfloat16: bool, flips: bool = False
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy on uint8 images (N, C, H, W), labels (N,).

    flips: of the mean over each image and its flip.
    """
    found = image_classifier.probabilities(model, images, bfloat16=bfloat16, flips=flips)  # (N, K)
    nats = -found.gather(1, labels[:, None]).clamp_min(1e-12).log().double().mean().item()
    return nats, (found.argmax(1) == labels).double().mean().item()
