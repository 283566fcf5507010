"""Which figures a run has: a name, a title and a place in the report for each file of the rooms."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from configuration import ROOMS, Configuration

from raw.table import Dataset

Names = Mapping[str, Sequence[str]]
Entries = Mapping[str, Dataset]
# Kind of figure -> the list of REPORT of which each file has a figure (of the last three, `plan`
# tells what has one), its category in Snakemake's report, and its label there.
KINDS = {
    "grid": ("selections", "Searches", "{}"),
    "confusion": ("predictions", "Predictions", "confusion matrix, {}"),
    "examples": ("images", "Predictions", "examples, {}"),
    "attention": ("attention", "Inside the Transformer", "attention, {}"),
    "positions": ("positions", "Inside the Transformer", "positions, {}"),
    "twins": ("twins", "Training curves", "NumPy and PyTorch, {}"),
    "curves": (None, "Training curves", "{}"),
    "race": (None, "Searches", "{}"),
    "study": (None, "Predictions", "{}"),
    "leaderboard": (None, "Leaderboard", "{}"),
}
# Files that hold a title of their own.
TITLED = ("examples", "attention")
# Parts of paths that say nothing in a title.
SILENT = ("final", "numpy", "evaluation", "evaluate", "test", "results", "figures")


@dataclass(frozen=True)
class Figure:
    """A figure of the report: what it shows, of which room and data set, and its file's name."""

    kind: str
    room: str
    dataset: str
    title: str
    name: str

    @property
    def where(self) -> dict:
        """Its place in Snakemake's report."""
        _, category, label = KINDS[self.kind]
        return where(f"plot_{self.kind}", category, label.format(self.title))


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


def plan(report: Names, run: str, chosen: Names, table: Entries) -> dict[str, list[Figure]]:
    """Kind -> figures, in the order of the files of REPORT that they are made of.

    chosen: room -> data sets of the run; table: datasets.yaml.
    """
    found: dict[str, list[Figure]] = {kind: [] for kind in KINDS}

    def add(kind: str, room: str, dataset: str, title: str, stem: str) -> None:
        found[kind].append(Figure(kind, room, dataset, title, f"{stem}.svg"))

    for kind, (source, _, _) in KINDS.items():
        for path in report[source] if source else ():
            here, dataset, rest = place(path, run, chosen)
            more = f", {rest}" if rest and kind not in TITLED else ""
            add(kind, here, dataset, title(dataset, table) + more, _stem(path, run))
    for here in dict.fromkeys(room(path, run) for path in report["histories"]):
        add("curves", here, "", here, here)
    for here in dict.fromkeys(room(path, run) for path in report["studies"]):
        add("study", here, chosen[here][0], title(chosen[here][0], table), here)
    for search in dict.fromkeys(map(_search, report["searches"])):
        here, dataset, _ = place(f"{search}/ranking.json", run, chosen)
        told = f"{title(dataset, table)}: search by successive halving"
        add("race", here, dataset, told, _stem(search, run))
    for name in dict.fromkeys(name for names in chosen.values() for name in names):
        add("leaderboard", "", name, title(name, table), name.replace("/", "-"))
    return found


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


def curve_groups(report: Names, run: str) -> list[int]:
    """For each history the number of its room's figure."""
    return _numbered([room(path, run) for path in report["histories"]])


def race_groups(report: Names) -> list[int]:
    """For each ranking the number of its search's figure."""
    return _numbered([_search(path) for path in report["searches"]])


def _numbered(names: list[str]) -> list[int]:
    """[0, 1, 0] of ["a", "b", "a"]."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return [numbers[name] for name in names]


def _search(path: str) -> str:
    """The folder of a search: <folder>/rung<r>/ranking.json."""
    return str(PurePosixPath(path).parents[1])


def _stem(path: str, run: str) -> str:
    return "-".join(PurePosixPath(path).relative_to(run).with_suffix("").parts)
