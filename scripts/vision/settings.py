"""The settings of the room: config.yaml's section `vision`, and what each program reads of it.

No code hash covers this file, since all values are in --spec: what computes belongs elsewhere.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.settings import Seed, Seeds, Settings, Share, Threads, each_once

Kind = Literal["mlp", "cnn", "fast_cnn"]


class Layers(Settings):
    """What the shapes of all models have in common."""

    widths: list[Annotated[int, Field(ge=1)]] = Field(
        [64, 128, 256], min_length=1, description="units of each hidden layer, channels of a stage"
    )
    bfloat16: bool = Field(True, description="products in bfloat16 where the processor can")


class Dropout(Settings):
    dropout: Share = Field(0.0, description="share of hidden units dropped in training")


class Convolutions(Settings):
    """The rest of the shape of `cnn`."""

    hidden: int = Field(512, ge=1, description="units of the linear layer after the convolutions")


class Training(Settings):
    epochs: float = Field(10, gt=0, description="passes over the training images")
    batch_size: int = Field(250, ge=2, description="images per step")
    lr: float = Field(0.1, gt=0, description="highest learning rate, for the mean loss of a batch")
    momentum: Share = Field(0.9, description="of Nesterov's SGD")
    weight_decay: float = Field(5e-4, ge=0, description="of matrices and kernels")
    label_smoothing: Share = Field(0.1, description="share of the target spread over the classes")
    warmup: Share = Field(0.2, description="share of the steps in which the rate rises")
    decay: Literal["cosine", "linear"] = Field("cosine", description="how the rate falls to 0")
    flips: bool = Field(True, description="flip a training image in every other epoch")
    crop: int = Field(2, ge=0, description="pixels by which a training image is shifted at most")
    cutout: int = Field(0, ge=0, description="pixels of a side of the hole in each image; 0: none")


class FastTraining(Settings):
    """What else the training of `fast_cnn` has: Muon for its filters, SGD for the rest."""

    bias_lr: float = Field(26.0, gt=0, description="highest rate of the shifts of normalisations")
    head_lr: float = Field(0.005, gt=0, description="highest rate of the last layer")
    small_side: int = Field(24, ge=1, description="pixels of a side while images are small")
    small_share: Share = Field(0.0, description="share of the steps, at first, with small images")


class Evaluation(Settings):
    test_time_flips: bool = Field(False, description="also the mean over each image and its flip")


class Perceptron(Layers, Dropout, Training, Evaluation):
    """The settings of the MLP."""


class ConvolutionalNetwork(Layers, Dropout, Convolutions, Training, Evaluation):
    """The settings of the textbook's CNN."""


class FastNetwork(Layers, Training, FastTraining, Evaluation):
    """The settings of the fast CNN."""


class Section(Settings):
    """config.yaml's section `vision`."""

    dataset: str = Field(description="data set of images")
    models: Annotated[list[Kind], AfterValidator(each_once)] = Field(
        min_length=1, description="which models are trained"
    )
    seeds: Seeds = Field(description="one training per seed")
    threads: Threads = Field(description="threads of one training")
    validation_size: int = Field(ge=0, description="training images held out for validation")
    examples: int = Field(ge=1, description="test images that the report shows")
    shifted_images: int = Field(ge=4, description="test images that are scored shifted, too")
    mlp: Perceptron = Perceptron()
    cnn: ConvolutionalNetwork = ConvolutionalNetwork()
    fast_cnn: FastNetwork = FastNetwork()


class Model(Layers, Dropout, Convolutions):
    """One of the models; each reads its own of these settings."""

    model: Kind = Field("cnn", description="which model")
    dataset: str = Field("cifar10", description="name of the data set")
    threads: Threads = Field(1, description="threads of PyTorch")


class Stored(Model):
    """What a file of weights says of its model."""

    image_shape: list[int] = Field(min_length=3, max_length=3, description="channels, H, W")
    classes: list[str] = Field(min_length=1, description="their names, in the order of the logits")


class TrainSpec(Model, Training, FastTraining):
    validation_size: int = Field(5000, ge=0, description="training images held out for validation")
    seed: Seed = Field(1, description="of the split, the weights, the order and augmentation")


class EvaluateSpec(Model, Evaluation):
    examples: int = Field(40, ge=1, description="test images in examples.npz")
    shifted_images: int = Field(5000, ge=4, description="test images that are scored shifted, too")
    seeds: Seeds = Field([1], description="of the trainings, in their order")


class PredictSpec(Settings):
    threads: Threads = Field(1, description="threads of PyTorch")
    flips: bool = Field(False, description="the mean over each picture and its flip")
