"""The settings of the room: config.yaml's section `dna`, and what each program reads of it.

No code hash covers this file, since all values are in --spec: what computes belongs elsewhere.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from pipeline.settings import Seed, Seeds, Settings, Share, Threads, Width, each_once
from raw.settings import About, Checksum

Class = Annotated[str, Field(min_length=1)]
Motif = Annotated[str, Field(pattern="^[ACGT]{1,10}$")]
Size = Annotated[int, Field(ge=1)]


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

    n_heads: int = Field(4, ge=1, description="attention heads; divides d_model")
    d_model: Width = Field(48, ge=1, validate_default=True, description="channels")
    n_layers: int = Field(2, ge=1, description="encoder layers")
    d_ff: int = Field(96, ge=1, description="width of the feed-forward networks")
    dropout: Share = Field(0.2, description="share of activations dropped in training")
    head_dropout: Share = Field(0.3, description="the same, before the head")
    stem_kernel: int = Field(7, ge=0, description="nucleotides of the convolution, odd; 0: none")
    pooling: Literal["cls", "mean", "flatten"] = Field(
        "flatten", description="how the positions become one vector"
    )

    @field_validator("stem_kernel")
    @classmethod
    def _has_a_middle(cls, value: int) -> int:
        if value and value % 2 == 0:
            raise ValueError("expected 0 or an odd width")
        return value


class Training(Settings):
    epochs: int = Field(15, ge=1, description="passes over the training split, at most")
    patience: int = Field(15, ge=1, description="epochs without a lower loss before the end")
    batch_size: int = Field(64, ge=1, description="sequences per step")
    lr: float = Field(1e-3, gt=0, description="highest learning rate of AdamW")
    warmup_share: Share = Field(0.05, description="share of the steps in which the rate rises")
    min_lr_share: float = Field(0.01, ge=0, le=1, description="last learning rate, share of lr")
    weight_decay: float = Field(0.05, ge=0, description="decoupled weight decay")
    label_smoothing: Share = Field(0.0, description="share of the label spread over the classes")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
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


class Strands(Settings):
    both_strands: bool = Field(False, description="train on random strands, predict their mean")


class Candidate(Strands):
    """One of the models of which the data choose."""

    model: Model = Model()


class Choice(Settings):
    """Several models, each trained briefly; the best on val is then trained in earnest."""

    candidates: list[Candidate] = Field([Candidate()], min_length=1, description="the models")
    epochs: int = Field(15, ge=1, description="passes over the training split, at most")
    most_letters: int = Field(0, ge=0, description="nucleotides to read at most; 0: no limit")


class Dataset(Strands):
    """The settings of one data set."""

    data: Data = Data()
    model: Model = Model()
    training: Training = Training()
    choice: Choice | None = Field(
        None, description="models to choose from, instead of model and both_strands"
    )


class Section(Settings):
    """config.yaml's section `dna`."""

    datasets: Annotated[list[str], AfterValidator(each_once)] = Field(
        min_length=1, description="data sets to train on"
    )
    seeds: Seeds = Field(description="one training per seed")
    threads: Threads = Field(description="threads of one training")
    settings: dict[str, Dataset] = Field(min_length=1, description="settings of each data set")

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
