"""Which figures a run has: a name, a title and a place in the report for each file of the rooms."""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from configuration import ROOMS, Configuration

from raw.table import Dataset

Names = Mapping[str, Sequence[str]]
Entries = Mapping[str, Dataset]
# Kind of figure -> the list of REPORT of which each file has a figure, its category in Snakemake's
# report, and its label there.
KINDS = {
    "confusion": ("predictions", "Predictions", "confusion matrix, {}"),
    "errors": ("predictions", "Predictions", "errors, {}"),
    "attention": ("attention", "Inside the Transformer", "attention, {}"),
    "positions": ("positions", "Inside the Transformer", "positions, {}"),
    "study": ("studies", "Predictions", "cost, shifts, filters, {}"),
}
# Room -> the arrays of its data sets, which the figures of its errors show.
ARRAYS = {"mlp": "images.npz", "vision": "images.npz", "dna": "sequences.npz"}
# Files that hold a title of their own.
TITLED = ("attention",)
# Parts of paths that say nothing in a title.
SILENT = ("final", "numpy", "evaluation", "evaluate", "test", "results", "figures")


@dataclass(frozen=True)
class Figure:
    """A figure of the report: what it shows, of which room and data set, and its file's name.

    source: the file that it is made of; folder: that file's, below the run's; beside: files of the
    same kind that it is compared with.
    """

    kind: str
    room: str
    dataset: str
    title: str
    name: str
    folder: str
    source: str
    beside: tuple[str, ...] = ()

    @property
    def where(self) -> dict:
        """Its place in Snakemake's report."""
        _, category, label = KINDS[self.kind]
        return where(self.kind, category, label.format(self.title))


def where(caption: str, category: str, what: str) -> dict:
    """A file's place in Snakemake's report, as arguments of report()."""
    return {"caption": f"../report/{caption}.rst", "category": category, "labels": {"what": what}}


def config_sha256(config: Mapping) -> str:
    """The sha256 of the configuration as canonical JSON, without what changes no result.

    A run may be made room by room: which of them run now is left out, too.
    """
    left_out = ("report", "data_mirror", "rooms")
    kept = {key: value for key, value in config.items() if key not in left_out}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def title(dataset: str, table: Entries) -> str:
    """A data set's title; one that takes a real one's place is called a stand-in."""
    entry = table[dataset]
    return entry.title + (" (stand-in)" if entry.stands_in_for else "")


def about(datasets: Sequence[str], table: Entries) -> dict[str, dict]:
    """What the report says about each data set of a run."""
    told = {"title", "task", "description", "licence", "citation", "homepage"}
    return {
        name: table[name].model_dump(include=told)
        | {"stands_in_for": [table[real].title for real in table[name].stands_in_for]}
        for name in datasets
    }


def room(path: str, run: str) -> str:
    """The room that a file comes from: the first folder under `run`."""
    return PurePosixPath(path).relative_to(run).parts[0]


def place(path: str, run: str, chosen: Names) -> tuple[str, str, str]:
    """(room, data set, the rest that tells files of one data set apart) of a room's file.

    The data set is that which the path names, or the room's only one; ValueError if neither is.
    """
    here, *parts = PurePosixPath(path).relative_to(run).parts
    names = chosen[here]
    inner = "/" + "/".join(parts)
    held = [name for name in names if f"/{name}/" in inner or f"/{name}." in inner]
    if not held and len(names) > 1:
        raise ValueError(f"{path}: the path names none of the data sets {', '.join(names)}")
    dataset = max(held, key=len, default=names[0])
    rest = [part for part in parts[:-1] if part not in (*dataset.split("/"), *SILENT)]
    return here, dataset, " ".join(rest).replace("_", " ")


def plan(report: Names, run: str, chosen: Names, table: Entries) -> list[Figure]:
    """The figures by kind, in the order of the files of REPORT that they are made of.

    chosen: room -> data sets of the run; table: datasets.yaml.
    """
    found = []
    for kind, (source, _, _) in KINDS.items():
        for path in report[source]:
            here, dataset, rest = place(path, run, chosen)
            if kind == "errors" and here not in ARRAYS:
                continue
            more = f", {rest}" if rest and kind not in TITLED else ""
            told = title(dataset, table) + more
            name = "-".join(PurePosixPath(path).relative_to(run).with_suffix("").parts)
            others = (other for other in report[source] if kind == "study" and other != path)
            beside = tuple(
                other for other in others if place(other, run, chosen)[:2] == (here, dataset)
            )
            own = folder(path, run)
            found.append(Figure(kind, here, dataset, told, f"{name}.svg", own, path, beside))
    return found


def sources(figure: Figure, processed: str) -> list[str]:
    """The files that a figure is drawn of; processed: the folder of the data sets."""
    data = f"{processed}/{figure.dataset}"
    more = {"confusion": [f"{data}/meta.json"]}
    more["errors"] = [*more["confusion"], f"{data}/{ARRAYS.get(figure.room)}"]
    return [figure.source, *figure.beside, *more.get(figure.kind, [])]


def told(figure: Figure) -> dict[str, str]:
    """What the page knows of a figure."""
    unknown = ("source", "beside")
    return {name: text for name, text in asdict(figure).items() if name not in unknown}


def folder(path: str, run: str) -> str:
    """The folder of a room's file, below the run's."""
    return str(PurePosixPath(path).relative_to(run).parent)


def there(
    report: dict[str, list[str]], run: str, settings: Configuration, table: Entries
) -> dict[str, list[str]]:
    """Room -> data sets of a run's report: those that run now, and those that others left.

    Another room's results stay as they are and are shown, whatever its settings are by now: data
    sets of which `run` has the metrics. Takes from `report`, which has the files of all rooms,
    those that are not there.
    """
    running, known = (settings.datasets(rooms) for rooms in (settings.rooms, ROOMS))
    metrics = (place(path, run, known) for path in report["metrics"] if Path(path).exists())
    left = {(here, name) for here, name, _ in metrics if here not in running and name in table}
    for kind, paths in report.items():
        report[kind] = [
            path
            for path in paths
            if room(path, run) in running
            or (place(path, run, known)[:2] in left and Path(path).exists())
        ]
    shown = {(here, name) for here in running for name in running[here]} | left
    found = {
        here: [name for name in names if (here, name) in shown] for here, names in known.items()
    }
    return {here: names for here, names in found.items() if names}


def beside(weights: Sequence[str], chosen: Names, processed: str) -> list[str]:
    """What the live page reads besides weights: results, test images, test sequences.

    processed: the folder of the data sets, of which `chosen` names those of each room.
    """
    found = [f"{processed}/{name}/sequences.npz" for name in chosen.get("dna", [])]
    for path in map(PurePosixPath, weights):
        found.append(f"{path.parents[1]}/metrics.json")
        if path.name == "model.npz":
            found += [f"{path.parent}/history.json", f"{path.parents[1]}/examples.npz"]
    return found


def presets(repository: Path) -> list[str]:
    """The names that `make run PRESET=` knows: standard is config.yaml, the others their files."""
    others = ("config", "datasets", "references")
    names = {path.stem for path in (repository / "config").glob("*.yaml")}
    return ["standard", *sorted(names.difference(others))]


def peaks(folder: Path) -> dict[str, float]:
    """`processor, kernels` -> FLOP/s of one thread in products of large matrices, as measured.

    folder: that of the benchmarks' CSVs; without one, nothing is known.
    """
    found: dict[str, float] = {}
    for path in sorted(folder.glob("*_speed.csv")):
        with path.open(newline="", encoding="utf-8") as opened:
            for row in csv.DictReader(opened):
                if row["peer"].endswith("the peak") and row.get("kernels"):
                    machine = f"{row['processor']}, {row['kernels']}"
                    rate = float(row["theirs"]) / int(row["threads"])
                    found[machine] = max(rate, found.get(machine, 0.0))
    return found
