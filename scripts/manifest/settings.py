"""The settings of the room's programs; config.yaml has none for them."""

from pydantic import Field

from pipeline.settings import Settings


class ManifestSpec(Settings):
    run: str = Field("run", min_length=1, description="name of the run, as in results/<run>")
    snakemake: str = Field("unknown", description="version of Snakemake")
    config: dict = Field(default_factory=dict, description="the configuration, without paths")
