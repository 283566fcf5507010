"""The look of figures and report: config.yaml's section `report`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.settings import Settings, text_of

Colour = Annotated[str, text_of(r"#[0-9A-Fa-f]{6}", "a colour, #rrggbb")]


class Colours(Settings):
    ours: Colour = Field(description="results of this run, and validation curves")
    published: Colour = Field(description="published results")
    train: Colour = Field(description="training curves")
    wrong: Colour = Field(description="the frame of a wrong prediction")


class Section(Settings):
    """config.yaml's section `report`."""

    colours: Colours = Field(description="of the figures")
    heat_map: Literal[
        "cividis", "viridis", "magma", "inferno", "plasma", "Blues", "Greys", "YlGnBu"
    ] = Field(description="colour map of grids, confusion matrices and attention")
    dpi: int = Field(ge=72, le=600, description="dots per inch of the pixel parts of figures")
    examples: int = Field(ge=1, le=100, description="images shown of each model")
    samples: int = Field(ge=1, le=50, description="texts shown of each language model")
    rows: int = Field(ge=3, le=40, description="most rows in a figure of the leaderboard")
