"""The settings of the room: config.yaml's section `seq2seq`, and what each program reads of it.

No code hash covers this file, since all values are in --spec: what computes belongs elsewhere.
"""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from pipeline.settings import Seed, Seeds, Settings, Share, Threads, Width
from raw.settings import About


class Data(Settings):
    """Pairs of a reading frame and its protein."""

    train: int = Field(40_000, ge=1, description="pairs for training")
    val: int = Field(1000, ge=1, description="pairs for validation")
    test: int = Field(2000, ge=2, description="pairs of the test")
    shortest: int = Field(4, ge=1, description="fewest amino acids of a protein")
    longest: int = Field(16, ge=1, le=1000, validate_default=True, description="most amino acids")
    seed: Seed = Field(0, description="of the random frames")

    @field_validator("longest")
    @classmethod
    def _not_below_the_shortest(cls, value: int, info: ValidationInfo) -> int:
        if value < (shortest := info.data.get("shortest", value)):
            raise ValueError(f"expected at least shortest {shortest}")
        return value


class Model(Settings):
    """The arguments of torch_nn.transformer.Transformer that the task does not give."""

    n_heads: int = Field(4, ge=1, description="attention heads; divides d_model")
    d_model: Width = Field(64, ge=2, multiple_of=2, validate_default=True, description="channels")
    n_encoder_layers: int = Field(2, ge=1, description="encoder layers")
    n_decoder_layers: int = Field(2, ge=1, description="decoder layers")
    d_ff: int = Field(256, ge=1, description="width of the feed-forward networks")
    dropout: Share = Field(0.0, description="share of activations dropped in training")


class Training(Settings):
    steps: int = Field(3000, ge=1, description="optimiser steps")
    batch_size: int = Field(64, ge=1, description="pairs per step")
    lr: float = Field(2e-3, gt=0, description="highest learning rate of AdamW")
    warmup_share: Share = Field(0.1, description="share of the steps in which the rate rises")
    min_lr_share: float = Field(0.01, ge=0, le=1, description="last learning rate, share of lr")
    beta2: float = Field(0.98, gt=0, lt=1, description="AdamW's second-moment decay")
    weight_decay: float = Field(0.01, ge=0, description="decoupled weight decay")
    label_smoothing: Share = Field(0.0, description="share of the target spread over the tokens")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    average_decay: Share = Field(0.99, description="memory of the averaged weights, per step")
    evaluate_every: int = Field(250, ge=1, description="steps between validations")


class Section(Settings):
    """config.yaml's section `seq2seq`."""

    dataset: Literal["genetic_code"] = Field(description="the task")
    seeds: Seeds = Field(description="one training per seed")
    threads: Threads = Field(description="threads of one training")
    data: Data = Data()
    model: Model = Model()
    training: Training = Training()


class Stored(Settings):
    """What a file of weights says of its model."""

    model: Model = Field(description="shape of the model")
    source_length: int = Field(ge=3, description="nucleotides of the longest frame in training")


class PrepareSpec(Data):
    about: About = Field(About(), description="title, licence and so on, for meta.json")


class EvaluateSpec(Settings):
    model: Model = Field(Model(), description="shape of the model")
    threads: Threads = Field(1, description="threads of PyTorch")


class TrainSpec(Training, EvaluateSpec):
    seed: Seed = Field(1, description="of weights, batches and dropout")
