"""A recipe: all that describes one training of Part 1, from its inputs to its last epoch."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, ValidationError

from pipeline.errors import InputError
from pipeline.settings import Settings


class GridPoint(Settings):
    """One point of the grid that cross-validation searches: a recipe with three values changed."""

    lr: float = Field(0.1, gt=0, description="peak learning rate")
    batch_size: int = Field(128, ge=1, description="examples a step")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of hidden activations set to 0")


class Level(Settings):
    """One level of a mixer: linear layers across windows of neighbouring tokens."""

    window: int = Field(3, ge=1, description="side of a window in tokens")
    stride: int = Field(1, ge=1, description="tokens from window to window")
    channels: int = Field(64, ge=1, description="width of each window's vector")


class Recipe(GridPoint):
    """The complete recipe. A candidate of a search is a mapping that changes some of its keys."""

    inputs: Literal["pixels", "hog", "pixels+hog"] = Field(
        "pixels", description="pixels, histograms of oriented gradients, or both side by side"
    )
    architecture: Literal["mlp", "mixer"] = Field(
        "mlp", description="fully connected layers, or linear layers within and across tokens first"
    )
    hidden: list[int] = Field([512, 256], description="widths of the hidden layers")
    activation: Literal["relu", "gelu"] = Field("relu", description="after a hidden layer")
    norm: Literal["none", "batch", "layer"] = Field(
        "none", description="normalisation of each hidden layer (mixer: and before each pair)"
    )
    input_dropout: float = Field(0.0, ge=0, lt=1, description="share of the inputs set to 0")
    patch: int = Field(4, ge=1, description="mixer: side of a token's square in pixels")
    margin: int = Field(0, ge=0, description="mixer: pixels around it that the token sees too")
    channels: int = Field(64, ge=1, description="mixer: width of a token's vector")
    levels: list[Level] = Field([], description="mixer: across neighbours, before the blocks")
    depth: int = Field(1, ge=0, description="mixer: blocks")
    token_width: int = Field(64, ge=1, description="mixer: hidden width across tokens")
    channel_width: int = Field(128, ge=1, description="mixer: hidden width across channels")
    mixer_dropout: float = Field(0.0, ge=0, lt=1, description="mixer: dropout within the blocks")
    optimiser: Literal["sgd", "adamw"] = Field("sgd", description="SGD or AdamW")
    momentum: float = Field(0.9, ge=0, lt=1, description="sgd: momentum")
    nesterov: bool = Field(True, description="sgd: Nesterov's momentum, not the heavy ball")
    beta2: float = Field(0.999, ge=0, lt=1, description="adamw: memory of squared gradients")
    weight_decay: float = Field(5e-4, ge=0, description="of weights; biases are not decayed")
    schedule: Literal["constant", "step", "cosine", "one_cycle"] = Field(
        "one_cycle", description="course of the learning rate over the run"
    )
    warmup: float = Field(0.2, ge=0, lt=1, description="one_cycle: share of the steps of the rise")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of the cross-entropy")
    mixup: float = Field(0.0, ge=0, description="alpha of mixup's Beta distribution; 0: none")
    flips: bool = Field(False, description="mirror images at random in training")
    shift: int = Field(0, ge=0, description="pixels by which a training image moves at most")
    ema_decay: float | None = Field(
        None, gt=0, lt=1, description="memory a step of averaged weights; null: none"
    )
    clip_norm: float | None = Field(
        None, gt=0, description="largest norm of the gradient; null: no limit"
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="where a fold is held out: stop after so many epochs without a better accuracy"
        " on it, and take the best epoch's weights; null, or no such fold: every epoch",
    )
    epochs: int = Field(8, ge=1, description="passes over the training examples")

    def changed(self, changes: Mapping[str, object]) -> Self:
        """This recipe with the values of a candidate.

        Raises InputError for a key that no recipe has, `epochs` included, or for a bad value.
        """
        free = set(Recipe.model_fields) - {"epochs"}
        if unknown := set(changes) - free:
            raise InputError(
                f"candidate: expected keys of a recipe ({', '.join(sorted(free))}),"
                f" found {sorted(unknown)}"
            )
        try:
            return type(self).model_validate(self.model_dump() | dict(changes))
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['msg']}, found {e['input']!r}"
                for e in error.errors()
            )
            raise InputError(f"candidate {dict(changes)}: {found}") from None

    def recipe(self) -> dict:
        """The recipe's keys alone, for the record."""
        return self.model_dump(include=set(Recipe.model_fields))


class HeldOutRecipe(Recipe):
    """A recipe of a search: it trains on all folds but one, and that one scores it."""

    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    fold: int = Field(0, ge=0, description="the fold that is held out, from 0")
    folds: int = Field(5, ge=2, description="number of folds")
    fold_seed: int = Field(0, ge=0, description="seed of the folds, the weights and the order")
    examples: int | None = Field(
        None, ge=10, description="use a stratified sample of so many training examples; null: all"
    )
