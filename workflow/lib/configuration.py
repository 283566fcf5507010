"""The configuration, checked before anything runs: one clear line for each thing that is wrong."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from check_yaml import read
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from dna.settings import Section as Dna
from gpt.settings import Section as Gpt
from mlp.settings import Section as Mlp
from pipeline.settings import Settings, each_once, nearest, problems, text_of
from raw.settings import Section as Data
from raw.table import Dataset, Table
from reporting.settings import Section as Report
from seq2seq.settings import Section as Seq2seq
from vision.settings import Section as Vision

# Room -> the `task` of its data sets, in the order of the project's parts.
ROOMS = {
    "mlp": "image_classification",
    "vision": "image_classification",
    "gpt": "language_modelling",
    "dna": "dna_classification",
    "seq2seq": "translation",
}
Run = Annotated[
    str,
    text_of(
        r"(?!reference)[A-Za-z0-9][A-Za-z0-9_-]*",
        "letters, digits, _ and -, a letter or digit first, and not `reference`, which is kept",
    ),
]
Rooms = Annotated[list[Literal[*ROOMS]], Field(min_length=1), AfterValidator(each_once)]


class Configuration(Settings):
    """All of config.yaml."""

    run: Run = Field(description="name of the results folder, results/<run>")
    rooms: Rooms = Field(description="which parts of the project to run")
    data_mirror: str | None = Field(description="directory or URL prefix of <dataset>/<file>")
    own: dict[str, Any] = Field(description="your own data sets, as in datasets.yaml")
    data: Data = Field(description="bundled and generated images")
    mlp: Mlp = Field(description="Part 1: fully connected nets in NumPy")
    vision: Vision = Field(description="Part 2, images")
    gpt: Gpt = Field(description="Part 2, language")
    dna: Dna = Field(description="Part 2, DNA")
    seq2seq: Seq2seq = Field(description="Part 2, DNA to protein")
    report: Report = Field(description="the look of figures and report")

    def datasets(self, rooms: Iterable[str]) -> dict[str, list[str]]:
        """The data sets of each of `rooms`, in the order of ROOMS."""
        sections = {room: getattr(self, room) for room in ROOMS if room in rooms}
        return {r: getattr(s, "datasets", None) or [s.dataset] for r, s in sections.items()}


class ConfigurationError(ValueError):
    """A configuration that cannot be run; the message has one line for each problem."""


def checked(title: str, values: object, kind: Any) -> Any:
    """`values` as an object of `kind`. Raises ConfigurationError; `title` begins each line."""
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        lines = (f"{title}: {line}" for line in problems(error, kind))
        raise ConfigurationError("\n".join(lines)) from None


def load_table(path: Path, kind: Any) -> Any:
    """Read one of the YAML tables beside the configuration as an object of `kind`.

    Raises ConfigurationError if the file is not YAML, has a key twice or does not fit.
    """
    values, line = read(path)
    if line:
        raise ConfigurationError(line)
    return checked(f"config/{path.name}", values, kind)


def own_data(config: Mapping) -> dict[str, Dataset]:
    """The data sets that the configuration brings itself: name -> entry.

    Raises ConfigurationError if one does not fit.
    """
    return checked("config: own", config.get("own", {}), Table)


def check_config(config: Mapping, datasets: Mapping[str, Dataset]) -> Configuration:
    """Check the merged configuration against its model and the table of data sets.

    Raises ConfigurationError: an unknown or missing key, a wrong type or range, settings that do
    not fit together; a data set that does not exist, is of another task or has no settings.
    """
    found = checked("config", config, Configuration)
    lines = []
    for room, names in found.datasets(found.rooms).items():
        fit = [name for name, entry in datasets.items() if entry.task == ROOMS[room]]
        settings = getattr(getattr(found, room), "settings", fit)
        for name in names:
            if name not in datasets:
                hint = nearest(name, list(datasets))
                lines.append(f"{room}: no data set {name!r} in config/datasets.yaml; {hint}")
            elif name not in fit:
                line = f"{room}: expected a data set for {ROOMS[room]}, found {name!r} for"
                lines.append(f"{line} {datasets[name].task}; {nearest(name, fit)}")
            elif name not in settings:
                lines.append(f"{room}.settings: no settings for the chosen data set {name!r}")
    if lines:
        raise ConfigurationError("\n".join(f"config: {line}" for line in lines))
    return found
