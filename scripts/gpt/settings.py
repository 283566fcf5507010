"""The settings of the room: config.yaml's section `gpt`, and what each program reads of it.

No code hash covers this file, since all values are in --spec: what computes belongs elsewhere.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pipeline.settings import Seed, Seeds, Settings, Share, Threads, Width, each_once
from raw.settings import About, Checksum

Device = Literal["auto", "cpu", "cuda", "mps"]


class Data(Settings):
    tokenizer: Literal["characters", "bpe"] = Field("characters", description="kind of token")
    vocab_size: int = Field(1024, ge=257, le=65_535, description="tokens of a bpe vocabulary")
    val_share: float = Field(0.05, gt=0, lt=0.5, description="share kept back for validation")
    seed: Seed = Field(0, description="of the split")


class Shape(Settings):
    """The shape of a language model, whatever computes it."""

    context: int = Field(128, ge=2, description="tokens that the model sees at once")
    n_layers: int = Field(4, ge=1, description="blocks")
    n_heads: int = Field(4, ge=1, description="attention heads; divides d_model")
    d_model: Width = Field(128, ge=2, validate_default=True, description="width")


class Model(Shape):
    """The shape of a language model in PyTorch; gpt.model.build makes it."""

    architecture: Literal["gpt-2", "llama", "modern"] = Field(
        "gpt-2", description="gpt-2 and llama: torch_nn.gpt; modern: torch_nn.modern_gpt"
    )
    dropout: Share = Field(0.1, description="share of activations dropped in training")
    positions: Literal["learned", "sinusoidal"] = Field(
        "learned", description="kind of positions of gpt-2; the others turn queries and keys"
    )

    @model_validator(mode="after")
    def _angles_come_in_pairs(self) -> Self:
        if self.architecture != "gpt-2" and (width := self.d_model // self.n_heads) % 2:
            raise ValueError(f"d_model: expected heads of even width, found {width}")
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ValueError(f"positions: expected an even d_model, found {self.d_model}")
        return self


class Recipe(Settings):
    """What every training of a language model reads, whatever computes it."""

    steps: int = Field(1000, ge=1, description="optimiser steps")
    batch_size: int = Field(32, ge=1, description="windows per step")
    lr: float = Field(1e-3, gt=0, description="highest learning rate of AdamW")
    warmup_steps: int = Field(50, ge=0, validate_default=True, description="steps of warm-up")
    weight_decay: float = Field(0.1, ge=0, description="decay of matrices")
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's first-moment decay")
    beta2: float = Field(0.99, gt=0, lt=1, description="AdamW's second-moment decay")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    eval_every: int = Field(100, ge=1, description="steps between validations")
    eval_tokens: int = Field(50_000, ge=1, description="validation tokens read each time")

    @field_validator("warmup_steps")
    @classmethod
    def _warm_up_ends(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("steps", value + 1):
            raise ValueError(f"expected fewer than steps {info.data['steps']}")
        return value


class Training(Recipe):
    """A training in PyTorch."""

    accumulation: int = Field(
        1, ge=1, validate_default=True, description="parts of a batch, one after another"
    )
    optimizer: Literal["adamw", "muon"] = Field(
        "adamw", description="muon: for the matrices of the blocks, with AdamW for all else"
    )
    muon_lr: float = Field(0.02, gt=0, description="highest learning rate of Muon")
    constant_share: Share = Field(0.0, description="share of the steps from which the rate falls")
    decay: Literal["cosine", "linear"] = Field("cosine", description="how the learning rate falls")
    min_lr_share: float = Field(0.1, ge=0, le=1, description="last learning rate, share of lr")
    average_decay: Share = Field(0.0, description="of the average of the weights; 0: the last ones")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="of matrix products in training; evaluation is float32"
    )
    compile: bool = Field(False, description="compile the model where there is a compiler")
    keep: Literal["best", "last"] = Field(
        "best", description="weights to keep: the best on validation, or the last"
    )

    @field_validator("accumulation")
    @classmethod
    def _parts_are_equal(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("batch_size", value) % value:
            raise ValueError(f"expected a divisor of batch_size {info.data['batch_size']}")
        return value


class Baselines(Settings):
    orders: Annotated[list[Annotated[int, Field(ge=1, le=7)]], AfterValidator(each_once)] = Field(
        [3, 4, 5, 6], description="n of the n-gram models, 1 to 7"
    )


class Evaluation(Settings):
    stride: int | None = Field(
        None, ge=1, description="tokens counted in sliding windows; null: none"
    )

    def check_stride(self, context: int, key: str) -> None:
        """Raises ValueError if windows of `context` tokens would skip some."""
        if (self.stride or 1) > context:
            raise ValueError(f"{key}: expected at most the context {context}, found {self.stride}")


class Way(Settings):
    """One way of sampling: the arguments of torch_nn.sampling.sample."""

    temperature: float = Field(1.0, ge=0, description="0: the likeliest token; else at least 0.001")
    top_k: int | None = Field(None, ge=1, description="draw from the k likeliest; null: from all")
    top_p: float | None = Field(None, gt=0, le=1, description="from the likeliest of this mass")
    min_p: float | None = Field(
        None, gt=0, le=1, description="from those at least this share as likely as the likeliest"
    )
    repetition_penalty: float = Field(
        1.0, gt=0, description="divides the logits of tokens that were there already; 1: none"
    )

    @field_validator("temperature")
    @classmethod
    def _logits_stay_finite(cls, value: float) -> float:
        if 0 < value < 0.001:
            raise ValueError("expected 0, or at least 0.001")
        return value


class Sampling(Settings):
    prompts: list[str] = Field(["\n"], min_length=1, description="what is continued")
    ways: list[Way] = Field([Way()], min_length=1, description="every prompt in each way")
    max_new_tokens: int = Field(300, ge=1, description="longest continuation, tokens")
    quality_samples: int = Field(0, ge=0, description="texts to measure, drawn by the first way")
    seed: Seed = Field(1, description="of the first sample; the next ones count up")


class Stored(Settings):
    """What travels with the weights, so that a model can be used from its file alone."""

    model: Model = Field(description="shape of the model")
    tokenizer: dict[str, Any] = Field(description="content of tokenizer.json")
    dataset: str = Field(description="name of the data set")
    title: str = Field(description="what people call the data set")
    stand_in: bool = Field(description="whether the data set takes a real one's place")
    data_sha256: str = Field(description="of the tokens that it was trained on")


class Trace(Settings):
    sentence: str = Field("To be, or not to be", min_length=1, description="for the attention map")


class Dataset(Trace):
    """The settings of one data set."""

    data: Data = Data()
    model: Model = Model()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    baselines: Baselines = Baselines()
    sampling: Sampling = Sampling()
    stories: int | None = Field(None, ge=10, le=1_000_000, description="for grammar_stories alone")

    @model_validator(mode="after")
    def _no_token_is_skipped(self) -> Self:
        self.evaluation.check_stride(self.model.context, "evaluation.stride")
        return self


class NumpySampling(Settings):
    """How the GPT in NumPy writes: the arguments of numpy_nn.gpt.sample."""

    prompts: list[str] = Field(["\n"], min_length=1, description="what is continued")
    temperature: float = Field(0.8, ge=0, description="0: the likeliest token")
    top_k: int | None = Field(None, ge=1, description="draw from the k likeliest; null: from all")
    max_new_tokens: int = Field(300, ge=1, description="length of a continuation, tokens")
    seed: Seed = Field(1, description="of the samples")


class BesideTorch(Settings):
    """The short training of both twins; whatever it does not name is the model's training's."""

    steps: int = Field(300, ge=1, description="steps whose losses are compared")
    lr: float = Field(1e-3, gt=0, description="highest learning rate of AdamW")


class Numpy(Settings):
    """The GPT by hand: numpy_nn.gpt, beside its twin in PyTorch."""

    dataset: str = Field("tinyshakespeare", description="its text; trained on if among datasets")
    model: Shape = Shape()
    training: Recipe = Recipe()
    sampling: NumpySampling = NumpySampling()
    beside_torch: BesideTorch = BesideTorch()


class Section(Settings):
    """config.yaml's section `gpt`."""

    datasets: list[str] = Field(min_length=1, description="data sets to train on")
    seeds: Seeds = Field(description="one training per seed")
    threads: Threads = Field(description="threads of one training")
    device: Device = Field("auto", description="where the models run; auto: a GPU if there is one")
    settings: dict[str, Dataset] = Field(description="settings of each data set")
    numpy: Numpy | None = Field(None, description="the GPT by hand, in NumPy; null: none")

    @model_validator(mode="after")
    def _numpy_has_a_text(self) -> Self:
        if self.numpy and self.numpy.dataset not in self.settings:
            known = ", ".join(self.settings)
            raise ValueError(f"numpy.dataset: expected one of {known}, found {self.numpy.dataset}")
        return self


class StoriesSpec(Settings):
    stories: int = Field(4000, ge=10, le=1_000_000, description="different stories to generate")
    seed: Seed = Field(0, description="of the stories")


class PrepareSpec(Data):
    dataset: str = Field("tinyshakespeare", description="which data set the raw files are")
    raw: dict[str, Checksum] = Field({}, description="what each raw file must be; empty: unchecked")
    about: About = Field(About(), description="title, licence and so on, for meta.json")


class Threaded(Settings):
    """What every program reads that runs the model."""

    threads: Threads = Field(1, description="threads of PyTorch")
    device: Device = Field("auto", description="where it runs; auto: a GPU if there is one")


class TrainSpec(Training, Threaded):
    model: Model = Field(Model(), description="shape of the model")
    dataset: str = Field("tinyshakespeare", description="name of the data set")
    seed: Seed = Field(1, description="of weights, batches and dropout")


class EvaluateSpec(Evaluation, Threaded):
    pass


class SampleSpec(Sampling, Threaded):
    pass


class BaselinesSpec(Baselines):
    pass


class TraceSpec(Trace, Threaded):
    pass


class NumpyTrainSpec(Recipe):
    model: Shape = Field(Shape(), description="shape of the model")
    dataset: str = Field("tinyshakespeare", description="name of the data set")
    threads: Threads = Field(1, description="threads of NumPy's products")
    seed: Seed = Field(1, description="of weights and batches")


class NumpyEvaluateSpec(Settings):
    pass


class NumpySampleSpec(NumpySampling):
    pass


class EvaluateTwinSpec(Threaded):
    pass


class CompareTwinsSpec(NumpyTrainSpec):
    pass
