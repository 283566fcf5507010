"""The settings that describe an image classifier: what training and evaluation must agree on."""

from typing import Literal

from pydantic import Field
from torch import nn

from pipeline.errors import InputError
from pipeline.settings import Settings
from torch_nn import image_classifier


class Architecture(Settings):
    """An MLP or a CNN; see torch_nn.mlp.MLP and torch_nn.cnn.CNN."""

    model: Literal["mlp", "cnn"] = Field("cnn", description="mlp or cnn")
    widths: list[int] = Field([64, 128, 256], min_length=1, description="of hidden layers / stages")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of activations set to 0")
    stem: int = Field(24, ge=1, description="cnn: channels of the first convolution")
    depth: int = Field(2, ge=1, description="cnn: convolutions a stage")
    residual: bool = Field(True, description="cnn: shortcuts around all but a stage's first")
    bfloat16: bool = Field(True, description="products in bfloat16 where the device has units")

    def build(self, image_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The model for images of `image_shape` (C, H, W), with fresh weights.

        Raises InputError if it does not fit them.
        """
        try:
            return image_classifier.build(
                self.model,
                tuple(image_shape),
                classes,
                widths=self.widths,
                dropout=self.dropout,
                stem=self.stem,
                depth=self.depth,
                residual=self.residual,
            )
        except ValueError as error:
            raise InputError(f"vision.{self.model}: {error}. Change its widths.") from None

    def title(self) -> str:
        """The model's name in the leaderboard, e.g. "MLP 512-256" or "CNN 64-128-256"."""
        return f"{self.model.upper()} {'-'.join(map(str, self.widths))}"
