"""The settings of a GPT that training, evaluation, sampling and tracing share."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from pipeline.errors import InputError
from pipeline.settings import Settings
from raw.prepared import again, load_json


class ModelSettings(Settings):
    """The model's shape: the arguments of torch_nn.gpt.GPT besides the vocabulary's size."""

    context: int = Field(128, ge=2, description="tokens that the model sees at once")
    n_layers: int = Field(4, ge=1, description="blocks")
    n_heads: int = Field(4, ge=1, description="attention heads; divides d_model")
    d_model: int = Field(128, ge=2, validate_default=True, description="width")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of activations dropped in training")
    positions: Literal["learned", "sinusoidal"] = Field("learned", description="positions' kind")

    @field_validator("d_model")
    @classmethod
    def _heads_share_the_width(cls, value: int, info: ValidationInfo) -> int:
        if value % info.data.get("n_heads", 1):
            raise ValueError(f"expected a multiple of n_heads {info.data['n_heads']}")
        return value

    @field_validator("positions")
    @classmethod
    def _sines_come_in_pairs(cls, value: str, info: ValidationInfo) -> str:
        if value == "sinusoidal" and info.data.get("d_model", 2) % 2:
            raise ValueError(f"expected an even d_model, found {info.data['d_model']}")
        return value

    def name(self) -> str:
        """What the leaderboard calls it: layers x heads x width."""
        return f"GPT {self.n_layers}x{self.n_heads}x{self.d_model}"


def vocab_size(meta: str | Path) -> int:
    """How many tokens the text of this meta.json has. Raises InputError if it does not say."""
    found = load_json(meta, ("vocab_size",))["vocab_size"]
    if type(found) is not int or not 1 <= found <= 65_536:
        raise InputError(
            f"{meta}: vocab_size: expected 1 to 65536 tokens, found {found!r}. {again(meta)}"
        )
    return found
