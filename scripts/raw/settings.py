"""The settings of the room: config.yaml's section `data`, and what each program reads of it."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.settings import Seed, Settings, text_of

Sha256 = Annotated[str, text_of(r"[0-9a-f]{64}", "64 hex digits, in small letters")]

Own = Annotated[str, text_of(r"own/[a-z][a-z0-9_]*", "own/<name> for pictures of your own")]


class About(Settings):
    """What meta.json says of a data set: a part of its entry in config/datasets.yaml."""

    title: str = Field("", description="what people call it")
    stand_in: bool = Field(False, description="whether it takes a real data set's place")
    description: str = Field("", description="sizes, splits, what to know")
    licence: str = Field("", description="terms of use")
    citation: str = Field("", description="who made it")


class Checksum(Settings):
    """What a file must be, wherever it comes from."""

    bytes: int = Field(ge=1, description="size in bytes")
    sha256: Sha256 = Field(description="sha256 of the bytes in hex")


class Digits(Settings):
    """scikit-learn's 8x8 digits."""

    test_share: float = Field(0.2, ge=0.05, le=0.5, description="of each class, held out")
    seed: Seed = Field(1, description="of the split")


class Shapes(Settings):
    """Generated pictures of ten shapes, 32x32 RGB."""

    train_images: int = Field(4000, ge=100, le=1_000_000, description="a tenth in each class")
    test_images: int = Field(1000, ge=100, le=1_000_000, description="a tenth in each class")
    seed: Seed = Field(1, description="of the drawing")


class Section(Settings):
    """config.yaml's section `data`."""

    digits: Digits = Field(description="bundled stand-in for the grey images")
    shapes: Shapes = Field(description="generated stand-in for the colour photographs")


class FetchSpec(Settings):
    dataset: str = Field(description="name of the data set in the table")
    sha256: dict[str, str] = Field(
        {}, description="path -> expected sha256 of every file; empty: as the table says"
    )


class PrepareSpec(Settings):
    dataset: Literal["fashion_mnist", "cifar10"] | Own = Field(description="which data set")
    raw: dict[str, Checksum] = Field({}, description="what each raw file must be; empty: unchecked")
    about: About = Field(About(), description="title, licence and so on, for meta.json")


class GenerateSpec(Digits, Shapes):
    dataset: Literal["digits", "shapes"] = Field(description="which data set")
    about: About = Field(About(), description="title, licence and so on, for meta.json")
    seed: Seed = Field(1, description="digits: of the split; shapes: of the drawing")
