"""The settings of the room: config.yaml's section `dna`, and what each program reads of it.

No code hash covers this file, since all values are in --spec: what computes belongs elsewhere.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.settings import Seed, Seeds, Settings, Share, Threads, Width, each_once
from raw.settings import About, Checksum

Class = Annotated[str, Field(min_length=1)]
Motif = Annotated[str, Field(pattern="^[ACGT]{1,10}$")]
Size = Annotated[int, Field(ge=1)]


def _has_a_middle(width: int) -> int:
    if width and width % 2 == 0:
        raise ValueError("expected 0 or an odd width")
    return width


Kernel = Annotated[int, Field(ge=0), AfterValidator(_has_a_middle)]


class Data(Settings):
    """How a data set's arrays are made; what follows the seed is for planted_motifs alone."""

    classes: Annotated[list[Class], AfterValidator(each_once)] = Field(
        ["0", "1"], min_length=2, description="names of the classes 0, 1, ..."
    )
    max_length: int = Field(
        1000, ge=1, description="most nucleotides of a sequence; of one's own, its middle is kept"
    )
    val_share: Share = Field(
        0.15, description="share of the rows for val where none is given, and of own ones for test"
    )
    seed: Seed = Field(0, description="of what is drawn")
    motifs: Annotated[list[Motif], AfterValidator(each_once)] = Field(
        ["TATAAA", "CACGTG"], min_length=2, description="one per class, of one length"
    )
    noise: float = Field(0.3, ge=0, le=0.75, description="chance that a letter is another one")
    length: int = Field(30, ge=1, description="nucleotides of a sequence")
    place: int = Field(12, ge=0, description="where the motif begins, from 0")
    sizes: list[Size] = Field(
        [3000, 500, 1000], min_length=3, max_length=3, description="of train, val and test"
    )

    @model_validator(mode="after")
    def _motifs_fit(self) -> Self:
        room = self.length - self.place
        if len({len(motif) for motif in self.motifs}) > 1 or len(self.motifs[0]) > room:
            found = ", ".join(self.motifs)
            raise ValueError(
                f"motifs: expected one length, at most {room} from place, found {found}"
            )
        return self

    def check_classes(self, key: str) -> None:
        """Raises ValueError unless there is a motif for each class."""
        if (found := len(self.motifs)) != (wanted := len(self.classes)):
            raise ValueError(f"{key}: expected one for each of the {wanted} classes, found {found}")


class Model(Settings):
    """The arguments of torch_nn.dna_classifier.DNAClassifier that the data does not give."""

    tokens: Literal["nucleotides", "k-mers", "byte pairs"] = Field(
        "nucleotides", description="what a token is"
    )
    k: int = Field(6, ge=1, le=8, description="letters of a k-mer")
    merges: int = Field(250, ge=1, description="pairs that byte-pair encoding learns")
    token_width: int | None = Field(
        None,
        ge=1,
        description="channels of a token's embedding, which the stem widens; null: d_model",
    )
    stem_kernel: Kernel = Field(7, description="tokens of the first convolution, odd; 0: no stem")
    stem_inner_kernel: Annotated[Kernel, Field(ge=1)] = Field(
        5, description="places of the stem's further convolutions, odd"
    )
    stem_pools: list[Size] = Field(
        [1], min_length=1, description="max pooling after each convolution of the stem; 1: none"
    )
    stem_norm: bool = Field(False, description="batch normalisation in the stem")
    positions: Literal["learned", "sinusoidal", "rotary"] = Field(
        "learned", description="how the encoder knows places"
    )
    n_heads: int = Field(4, ge=1, description="attention heads; divides d_model")
    d_model: Width = Field(48, ge=1, validate_default=True, description="channels")
    n_layers: int = Field(2, ge=0, description="encoder layers; 0: a convolutional net")
    d_ff: int = Field(96, ge=1, description="width of the feed-forward networks")
    dropout: Share = Field(0.2, description="share of activations dropped in training")
    head_dropout: Share = Field(0.3, description="the same, before the head")
    pooling: Literal["cls", "mean", "max", "attention", "flatten"] = Field(
        "flatten", description="how the places become one vector"
    )

    @model_validator(mode="after")
    def _widths_fit(self) -> Self:
        if self.token_width not in (None, self.d_model) and not self.stem_kernel:
            raise ValueError(
                f"token_width: expected d_model {self.d_model} without a stem,"
                f" found {self.token_width}"
            )
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ValueError(f"d_model: expected an even number, found {self.d_model}")
        if self.positions == "rotary" and self.d_model // self.n_heads % 2:
            raise ValueError(
                f"d_model: expected an even number per head, found {self.d_model} of {self.n_heads}"
            )
        return self


class Optimisation(Settings):
    batch_size: int = Field(64, ge=1, description="sequences per step")
    lr: float = Field(1e-3, gt=0, description="highest learning rate of AdamW")
    warmup_share: Share = Field(0.05, description="share of the steps in which the rate rises")
    min_lr_share: float = Field(0.01, ge=0, le=1, description="last learning rate, share of lr")
    weight_decay: float = Field(0.05, ge=0, description="decoupled weight decay")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")


class Training(Optimisation):
    epochs: int = Field(15, ge=1, description="passes over the training split, at most")
    patience: int = Field(15, ge=1, description="epochs without a lower loss before the end")
    label_smoothing: Share = Field(0.0, description="share of the label spread over the classes")
    average_decay: Share = Field(0.99, description="memory of the averaged weights, per step")
    hidden_share: Share = Field(0.1, description="share of nucleotides replaced by N")
    mutated_share: Share = Field(0.0, description="share of nucleotides replaced at random")
    largest_shift: int = Field(0, ge=0, description="places by which a sequence moves at most")
    most_letters: int = Field(
        0, ge=0, description="nucleotides to read at most: fewer epochs of much data; 0: no limit"
    )
    balance_below: Share = Field(
        0.0, description="classes weigh the same if one has less than this part of an even share"
    )


class Pretraining(Optimisation):
    """Guessing hidden nucleotides of the training split, before the training."""

    epochs: int = Field(0, ge=0, description="passes over the training split; 0: no pretraining")
    guessed_share: float = Field(
        0.15, gt=0, lt=1, description="share of nucleotides that are hidden and guessed"
    )


class Baselines(Settings):
    """What the classifiers without attention choose from, by the MCC on val."""

    orders: list[Annotated[int, Field(ge=1, le=8)]] = Field(
        [4, 5, 6], min_length=1, description="letters of the logistic regression's k-mers"
    )
    strengths: list[Annotated[float, Field(gt=0)]] = Field(
        [0.01, 0.1, 1.0], min_length=1, description="its inverse L2 penalties"
    )
    tree_order: int = Field(4, ge=1, le=6, description="letters of the boosted trees' k-mers")
    trees: int = Field(200, ge=1, description="boosted trees at most")
    cnn_epochs: int = Field(5, ge=0, description="passes of the small CNN; 0: none")


class Motifs(Settings):
    """How much is read to find what the sequences of a class have in common."""

    sequences: int = Field(100, ge=1, description="sequences of val per class, drawn at random")
    most_letters: int = Field(
        20_000_000, ge=1, description="nucleotides to read at most: fewer sequences if long"
    )
    most: int = Field(3, ge=1, le=10, description="motifs per class")


class Strands(Settings):
    both_strands: bool = Field(False, description="train on random strands, predict their mean")


class Candidate(Strands):
    """One of the models of which the data choose."""

    model: Model = Model()


class Choice(Settings):
    """Several models, each trained briefly; the best on val is then trained in earnest."""

    of: str | None = Field(
        None,
        description="data set whose val chooses among the same models for this one; null: its own",
    )
    candidates: list[Candidate] = Field([Candidate()], min_length=1, description="the models")
    aligned: bool = Field(True, description="whether those of pooling flatten take part")
    epochs: int = Field(15, ge=1, description="passes over the training split, at most")
    most_letters: int = Field(0, ge=0, description="nucleotides to read at most; 0: no limit")


class Dataset(Strands):
    """The settings of one data set."""

    seeds: Seeds | None = Field(None, description="instead of the room's; null: those")
    data: Data = Data()
    model: Model = Model()
    pretraining: Pretraining = Pretraining()
    training: Training = Training()
    choice: Choice | None = Field(
        None, description="models to choose from, instead of model and both_strands"
    )
    baselines: Baselines = Baselines()

    @model_validator(mode="after")
    def _letters_are_guessed(self) -> Self:
        if self.pretraining.epochs and self.model.tokens != "nucleotides":
            raise ValueError(
                f"pretraining.epochs: expected 0 for {self.model.tokens}, whose places have no"
                f" fixed letters, found {self.pretraining.epochs}"
            )
        return self

    @model_validator(mode="after")
    def _pretrains_the_model_that_it_trains(self) -> Self:
        if self.choice and self.pretraining.epochs:
            found = self.pretraining.epochs
            raise ValueError(f"pretraining.epochs: expected 0 beside choice, found {found}")
        return self


class Section(Settings):
    """config.yaml's section `dna`."""

    datasets: Annotated[list[str], AfterValidator(each_once)] = Field(
        min_length=1, description="data sets to train on"
    )
    seeds: Seeds = Field(description="one training per seed")
    threads: Threads = Field(description="threads of one training")
    motifs: Motifs = Motifs()
    settings: dict[str, Dataset] = Field(min_length=1, description="settings of each data set")

    @model_validator(mode="after")
    def _a_family_has_one_race(self) -> Self:
        for name, one in self.settings.items():
            if one.choice and (of := one.choice.of):
                other = self.settings[of].choice if of in self.settings else None
                if other != one.choice.model_copy(update={"of": None}):
                    wanted = "expected a data set with the same choice of its own"
                    raise ValueError(f"settings.{name}.choice.of: {wanted}, found {of}")
        return self

    @model_validator(mode="after")
    def _one_motif_per_class(self) -> Self:
        if planted := self.settings.get("planted_motifs"):
            planted.data.check_classes("settings.planted_motifs.data.motifs")
        return self


class PrepareSpec(Data, Strands):
    dataset: str = Field("planted_motifs", description="which data set the raw files are")
    raw: dict[str, Checksum] = Field({}, description="what each raw file must be; empty: unchecked")
    about: About = Field(About(), description="title, licence and so on, for meta.json")

    @model_validator(mode="after")
    def _one_motif_per_class(self) -> Self:
        if self.dataset == "planted_motifs":
            self.check_classes("motifs")
        return self


class EvaluateSpec(Settings):
    threads: Threads = Field(1, description="threads of PyTorch")


class TrainSpec(Training, Candidate, EvaluateSpec):
    seed: Seed = Field(1, description="of weights, batches, dropout and augmentation")
    candidates: list[Candidate] = Field([], description="models, of which --choice names one")


class ChooseSpec(Settings):
    candidates: list[Candidate] = Field(min_length=1, description="the models, as histories")


class SummariseSpec(Settings):
    dataset: str = Field(description="name of the data set")
    report: str = Field("report.html", description="where the report is")
    folder: str = Field(".", description="where models and predictions are")
    seed: Seed = Field(1, description="of the model to name")


class MotifsSpec(Motifs, EvaluateSpec):
    seed: Seed = Field(1, description="of the sequences that are drawn")


class PredictSpec(EvaluateSpec):
    sequence: str | None = Field(None, description="column of the sequences; null: found by itself")


class ExplainSpec(PredictSpec):
    drawn: int = Field(8, ge=1, le=40, description="sequences in the picture: the first ones")


class Stored(Candidate):
    """What the file of a trained model says of it: enough to use it."""

    classes: list[Class] = Field(description="names of the classes, in the order of the outputs")
    length: int = Field(ge=1, description="nucleotides of the longest sequence in training")
    dataset: str = Field(description="name of the data set")
    title: str = Field(description="what people call it")
    stand_in: bool = Field(description="whether it took a real data set's place")
    data_sha256: str = Field(description="which data these were")


class PretrainSpec(Pretraining):
    model: Model = Field(Model(), description="shape of the model")
    threads: Threads = Field(1, description="threads of PyTorch")
    seed: Seed = Field(1, description="of weights, batches, dropout and what is hidden")
    largest_shift: int = Field(0, ge=0, description="places by which a sequence moves at most")
    both_strands: bool = Field(False, description="read random strands")


class BaselinesSpec(Baselines, Strands):
    threads: Threads = Field(1, description="threads of PyTorch")
    seed: Seed = Field(1, description="of the CNN and the boosted trees")
