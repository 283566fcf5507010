"""The look of figures and report: config.yaml's section `report`."""

from typing import Annotated

from pydantic import Field

from pipeline.settings import Settings, text_of

Colour = Annotated[str, text_of(r"#[0-9A-Fa-f]{6}", "a colour, #rrggbb")]


class Colours(Settings):
    ours: Colour = Field(description="results of this run")
    published: Colour = Field(description="published results, and errors")


class Section(Settings):
    """config.yaml's section `report`."""

    colours: Colours = Field(description="of page and figures")
    examples: int = Field(ge=1, le=100, description="errors shown of each classifier")
    samples: int = Field(ge=1, le=50, description="texts shown of each language model")
    rows: int = Field(ge=3, le=40, description="most rows in a chart beside published results")
