"""The settings of the room: config.yaml's section `mlp`, and what each program reads of it.

Nothing here is part of a program's code hash: all values are in its --spec, and neither a range nor
a description changes a result. What computes belongs elsewhere.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mlp import checks
from pipeline.settings import Seed, Seeds, Settings, Share, Threads, each_once, problems, text_of

T = TypeVar("T")
Values = Annotated[list[T], Field(min_length=1), AfterValidator(each_once)]
Lr = Annotated[float, Field(gt=0, le=10)]
BatchSize = Annotated[int, Field(ge=1, le=65_536)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
Fold = Annotated[int, Field(ge=0, lt=100)]
Examples = Annotated[int | None, Field(ge=10)]


class GridPoint(Settings):
    """What the grid searches: three values of a recipe."""

    lr: Lr = Field(0.1, description="peak learning rate")
    batch_size: BatchSize = Field(128, description="examples per step")
    dropout: Share = Field(0.2, description="share of hidden activations set to 0")


class Level(Settings):
    """One level of a mixer: linear layers across windows of neighbouring tokens."""

    window: int = Field(ge=1, le=64, description="side of a window in tokens")
    stride: int = Field(ge=1, le=64, description="tokens from window to window")
    channels: int = Field(ge=1, le=4096, description="width of each window's vector")


class Mixer(Settings):
    """What a mixer reads and a fully connected net does not."""

    patch: int = Field(4, ge=1, le=64, description="side of a token's square in pixels")
    margin: int = Field(0, ge=0, le=64, description="pixels around it that the token sees too")
    channels: int = Field(64, ge=1, le=4096, description="width of a token's vector")
    levels: list[Level] = Field([], max_length=64, description="across tokens, before the blocks")
    depth: int = Field(1, ge=0, le=64, description="blocks")
    token_width: Width = Field(64, description="hidden width across tokens")
    channel_width: Width = Field(128, description="hidden width across channels")
    mixer_dropout: Share = Field(0.0, description="dropout within the blocks")


class Recipe(GridPoint, Mixer):
    """How a model is trained, except for how long.

    A candidate of a search is a mapping that changes some of these keys.
    """

    inputs: Literal["pixels", "hog", "pixels+hog"] = Field(
        "pixels", description="what the net reads"
    )
    architecture: Literal["mlp", "mixer"] = Field("mlp", description="mixer: layers across tokens")
    hidden: list[Width] = Field([512, 256], description="widths of the hidden layers")
    activation: Literal["relu", "gelu"] = Field("relu", description="after a hidden layer")
    norm: Literal["none", "batch", "layer"] = Field("none", description="before each activation")
    input_dropout: Share = Field(0.0, description="share of the inputs set to 0")
    optimiser: Literal["sgd", "adamw"] = Field("sgd", description="SGD or AdamW")
    momentum: Share = Field(0.9, description="sgd: momentum")
    nesterov: bool = Field(True, description="sgd: Nesterov's momentum, not the heavy ball")
    beta2: Share = Field(0.999, description="adamw: decay of the second moment")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="of weights, not of biases")
    schedule: Literal["constant", "step", "cosine", "one_cycle"] = Field(
        "one_cycle", description="of the learning rate"
    )
    warmup: Share = Field(0.2, description="one_cycle: share of the steps of the rise")
    label_smoothing: Share = Field(0.0, description="of the cross-entropy")
    mixup: float = Field(0.0, ge=0, le=10, description="alpha of its Beta distribution; 0: none")
    flips: bool = Field(False, description="flip half of the training images")
    shift: int = Field(0, ge=0, le=8, description="most pixels by which a training image moves")
    ema_decay: float | None = Field(None, gt=0, lt=1, description="per step, of averaged weights")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the gradient")
    patience: int | None = Field(None, ge=1, description="epochs without a better held-out score")

    @field_validator("norm")
    @classmethod
    def _a_batch_has_a_deviation(cls, value: str, info: ValidationInfo) -> str:
        if value == "batch" and info.data.get("batch_size") == 1:
            raise ValueError("expected none or layer with batch_size 1")
        return value


class FullRecipe(Recipe):
    """A recipe and its length: all that describes one training."""

    epochs: Epochs = Field(8, description="passes over the training examples")


def _problems(changes: Mapping[str, Any]) -> list[str]:
    """What is wrong with these keys of a recipe: a line for each."""
    try:
        Recipe.model_validate(changes)
    except ValidationError as error:
        return problems(error, Recipe)
    return []


class HogPart(Settings):
    """One grid of cells: a part of an image's features."""

    kind: Literal["felzenszwalb", "dalal_triggs"] = Field("felzenszwalb", description="whose form")
    cell: int = Field(4, ge=2, le=64, description="side of a cell in pixels")
    orientations: int = Field(8, ge=2, le=36, description="directions in half a turn")
    block: int = Field(2, ge=1, le=8, description="dalal_triggs: side of a block in cells")


class Hog(Settings):
    parts: Values[HogPart] = Field([HogPart(), HogPart(cell=2)], description="grids, side by side")
    shift: int = Field(1, ge=0, le=8, description="largest shift, in pixels, that is stored")


class Grid(Settings):
    lr: Values[Lr] = Field(description="peak learning rates")
    batch_size: Values[BatchSize] = Field(description="examples per step")
    dropout: Values[Share] = Field(description="shares of hidden activations set to 0")


class Folds(Settings):
    folds: int = Field(5, ge=2, le=100, description="number of stratified folds")
    fold_seed: Seed = Field(0, description="of the folds, and of searches' weights and order")


class CrossValidation(Folds):
    epochs: Epochs = Field(description="passes over the other folds")
    examples: Examples = Field(description="size of a stratified sample to use; null: all examples")


class Draws(Settings):
    """The candidates of the halving search: some are given, the others drawn at random."""

    seed: Seed = Field(0, description="of the draws")
    space: dict[str, Values[JsonValue]] = Field(
        {"lr": [0.01, 0.1]}, min_length=1, description="key of a recipe -> its values"
    )
    include: list[dict[str, JsonValue]] = Field([], description="candidates that are there anyway")

    @model_validator(mode="after")
    def _candidates_change_a_recipe(self) -> "Draws":
        lines = []
        for key, values in self.space.items():
            for number, value in enumerate(values):
                place = f"space.{key}.{number}" if key in Recipe.model_fields else f"space.{key}"
                lines += [place + line.removeprefix(key) for line in _problems({key: value})]
        for number, candidate in enumerate(self.include):
            lines += [f"include.{number}.{line}" for line in _problems(candidate)]
        if lines:
            raise ValueError("\n".join(dict.fromkeys(lines)))
        return self


class Rung(Settings):
    candidates: int = Field(ge=1, le=10_000, description="how many train")
    epochs: Epochs = Field(description="passes of each")
    folds: Values[Fold] = Field([0], description="folds that score the rung, from 0")


class Search(Draws):
    rungs: list[Rung] = Field(min_length=1, description="from rung to rung fewer and longer")
    examples: Examples = Field(description="size of a stratified sample to use; null: all examples")


class Final(Settings):
    epochs: Epochs = Field(description="passes over the training images")
    seeds: Seeds = Field(description="one training on all training images per seed")
    fold_models: Annotated[list[Fold], AfterValidator(each_once)] = Field(
        description="folds left out, one training each: the first n of them, or a list"
    )

    @field_validator("fold_models", mode="before")
    @classmethod
    def _first_folds(cls, value: Any) -> Any:
        if isinstance(value, list):
            return value
        if type(value) is not int or not 0 <= value <= 100:
            raise ValueError("expected 0 to 100 folds, or a list of folds")
        return list(range(value))


Member = Annotated[
    str, text_of("[a-z][a-z0-9_]*/(seeds|folds)", "a model's name with /seeds or /folds behind it")
]


class Ensemble(Settings):
    members: Annotated[list[Member], AfterValidator(each_once)] = Field(
        description="<model>/seeds or <model>/folds; []: no ensemble"
    )


class Section(Settings):
    """config.yaml's section `mlp`. Each of `recipes` holds what is common, changed by its own."""

    dataset: str = Field(description="a data set of images")
    models: Values[str] = Field(description="which models to train, by the names of their recipes")
    flips: bool = Field(description="whether a flipped image is of the same class")
    test_time_shifts: bool = Field(description="whether to test nets on pixels on shifted images")
    hog: Hog = Field(description="histograms of oriented gradients, beside or instead of pixels")
    recipes: dict[str, Recipe] = Field(description="what is common, and what each model changes")
    grid: Grid = Field(description="values that cross-validation combines, for `plain`")
    cv: CrossValidation = Field(description="the folds, and how a point of the grid is scored")
    folds_to_train: int | None = Field(ge=1, description="folds that score the grid; null: all")
    search: Search = Field(description="successive halving, for `searched`")
    final: dict[str, Final] = Field(description="the trainings that are tested, by model")
    ensemble: Ensemble = Field(description="the room's last row")
    examples: int = Field(ge=1, le=1000, description="test images in the report")

    @field_validator("recipes", mode="before")
    @classmethod
    def _each_changes_what_is_common(cls, recipes: Any) -> Any:
        if not isinstance(recipes, Mapping):
            return recipes
        if "common" not in recipes:
            raise ValueError("common: missing")
        common = recipes["common"] if isinstance(recipes["common"], Mapping) else {}
        # What is wrong there is reported there, and not once more for each model.
        wrong = {line.partition(":")[0].partition(".")[0] for line in _problems(common)}
        sound = {key: value for key, value in common.items() if key not in wrong}
        return {
            name: {**sound, **own} if isinstance(own, Mapping) and name != "common" else own
            for name, own in recipes.items()
        }

    @model_validator(mode="after")
    def _all_fits_together(self) -> "Section":
        if lines := list(checks.lines(self)):
            raise ValueError("\n".join(lines))
        return self

    def choices(self, model: str, key: str) -> list:
        """The values that `key` of `model`'s recipe may have, those of its candidates included."""
        own = getattr(self.recipes[model], key)
        if model == "plain" and key in Grid.model_fields:
            return getattr(self.grid, key)
        if model == "searched":
            given = [candidate[key] for candidate in self.search.include if key in candidate]
            return self.search.space.get(key, [own]) + given
        return [own]


class DatasetSpec(Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")


class HogSpec(Hog, DatasetSpec):
    pass


class DrawSpec(Draws, DatasetSpec):
    candidates: int = Field(24, ge=1, description="how many, the included ones among them")


class HeldOutSpec(FullRecipe, Folds, DatasetSpec):
    """A training of a search: on all folds but one, and that one scores it."""

    fold: Fold = Field(0, description="the fold that is held out, from 0")
    examples: Examples = Field(None, description="size of a stratified sample; null: all examples")


class RungSpec(HeldOutSpec):
    rung: int = Field(0, ge=0, description="the rung, from 0")
    place: int = Field(0, ge=0, description="place in the ranking before, from 0")


class RankSpec(Settings):
    survivors: int = Field(1, ge=1, description="how many the next rung trains; 1 after the last")
    trainings: list[dict[str, JsonValue]] = Field(
        min_length=1, description="for each fold, the spec of mlp.train_rung without the place"
    )


class TrainSpec(FullRecipe, Folds, DatasetSpec):
    model: str = Field("plain", description="name of the model in the configuration")
    seed: Seed = Field(1, description="of weights, order, dropout and augmentation")
    fold: Fold | None = Field(None, description="fold to hold out; null: train on all")
    threads: Threads = Field(1, description="BLAS threads, for the record: the rule sets them")


class Stored(Settings):
    """What is known of a trained net besides its weights, which hold its architecture."""

    title: str = Field(description="what the leaderboard calls it")
    inputs: str = Field(description="what it reads, as the leaderboard says it")
    dataset: str = Field(description="name of the data set")
    image_shape: list[int] = Field(min_length=3, max_length=3, description="channels, H, W")
    classes: list[str] = Field(min_length=1, description="their names, in the order of the logits")


class EvaluateSpec(Folds, DatasetSpec):
    model: str = Field("plain", description="name of the model in the configuration")
    flips: bool = Field(False, description="test flipped images too, of nets trained with them")
    shifts: bool = Field(False, description="test shifted images too, of nets on pixels")
    examples: int = Field(30, ge=1, le=1000, description="test images that the report shows")


class EnsembleSpec(DatasetSpec):
    members: Values[Member] = Field(["plain/seeds"], description="<model>/seeds or <model>/folds")
    threads: Threads = Field(1, description="BLAS threads of the trainings, for the record")
