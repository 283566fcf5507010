"""What meta.json says about a data set: a part of its entry in config/datasets.yaml."""

from pydantic import Field

from pipeline.settings import Settings


class About(Settings):
    """Title, stand-in or real, description, licence and citation of a data set."""

    title: str = Field("", description="what people call it")
    stand_in: bool = Field(False, description="whether it takes a real data set's place")
    description: str = Field("", description="sizes, splits, what to know")
    licence: str = Field("", description="terms of use")
    citation: str = Field("", description="who made it")
