"""config/references.yaml: published results, each with its source and protocol."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings import Settings, nearest, text_of
from raw.table import Task

Name = Annotated[str, text_of(r"[a-z][a-z0-9_]*", "small letters, digits and _, a letter first")]
Url = Annotated[str, text_of(r"https://[^ ]+", "an address, https://")]
Text = Annotated[str, Field(min_length=1)]


class Source(Settings):
    citation: Text = Field(description="authors, year, where")
    url: Url | None = Field(None, description="page of the paper or code")


class Result(Settings):
    """One published number."""

    task: Task = Field(description="as on the leaderboard")
    dataset: str | None = Field(description="a name of datasets.yaml; null if the source is silent")
    model: Text = Field(description="short name")
    metric: Name = Field(description="as on the leaderboard")
    split: Literal["train", "cv", "val", "test"] | None = Field(description="null as for dataset")
    value: float = Field(description="shares: 0 to 1; mcc: x 100; losses: nats or bits")
    std: float | None = Field(None, ge=0, description="standard deviation over seeds")
    n_seeds: int | None = Field(None, ge=1, description="number of trainings")
    parameters: int | None = Field(None, ge=1, description="number of weights")
    train_seconds: float | None = Field(None, gt=0, description="seconds of one training")
    device: Text | None = Field(None, description="what it was trained on")
    source: str = Field(description="a name of sources")
    comparable: bool = Field(description="whether it may be the best published beside ours")
    protocol: Text = Field(description="how the number came about")
    why: Text | None = Field(None, description="why it does not compare")

    @model_validator(mode="after")
    def _says_why_not(self) -> "Result":
        if not self.comparable and self.why is None:
            raise ValueError("why: missing beside comparable: false")
        return self


class References(Settings):
    """The whole file."""

    sources: dict[Name, Source] = Field(description="name -> where results were published")
    results: list[Result] = Field(description="one entry for each number")

    @model_validator(mode="after")
    def _every_source_is_known(self) -> "References":
        lines = [
            f"results.{index}.source: no source {result.source!r};"
            f" {nearest(result.source, list(self.sources))}"
            for index, result in enumerate(self.results)
            if result.source not in self.sources
        ]
        if lines:
            raise ValueError("\n".join(lines))
        return self
