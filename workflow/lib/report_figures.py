"""Which figures a run has: a name, a title and a place in the report for each file of the rooms."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from raw.table import Dataset

# Kind of figure -> the list of REPORT that it is made of, a figure a file. Training curves (a
# figure a room), races (a figure a search) and the leaderboard (a figure a data set) are made
# otherwise.
KINDS = {
    "grid": "selections",
    "confusion": "predictions",
    "examples": "images",
    "attention": "attention",
    "positions": "positions",
}
# Kind of figure -> its category in Snakemake's report, and its label there.
LABELS = {
    "leaderboard": ("Leaderboard", "{}"),
    "curves": ("Training curves", "{}"),
    "grid": ("Searches", "{}"),
    "race": ("Searches", "{}"),
    "confusion": ("Predictions", "confusion matrix, {}"),
    "examples": ("Predictions", "examples, {}"),
    "attention": ("Inside the Transformer", "attention, {}"),
    "positions": ("Inside the Transformer", "positions, {}"),
}
# Files that hold a title of their own.
TITLED = ("examples", "attention")
# Parts of paths that say nothing in a title.
SILENT = ("final", "evaluation", "evaluate", "test", "results", "figures")


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
        category, label = LABELS[self.kind]
        return where(f"plot_{self.kind}", category, label.format(self.title))


def where(caption: str, category: str, what: str) -> dict:
    """A file's place in Snakemake's report, as arguments of report()."""
    return {
        "caption": f"../report/{caption}.rst",
        "category": category,
        "labels": {"what": what},
    }


def config_sha256(config: Mapping, without: Sequence[str] = ("report", "data_mirror")) -> str:
    """The sha256 of the configuration as canonical JSON, without what changes no result."""
    kept = {key: value for key, value in config.items() if key not in without}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def title(dataset: str, table: Mapping[str, Dataset]) -> str:
    """A data set's title; one that takes a real one's place is called a stand-in."""
    entry = table[dataset]
    return entry.title + (" (stand-in)" if entry.stands_in_for else "")


def about(datasets: Sequence[str], table: Mapping[str, Dataset]) -> dict[str, dict]:
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


def place(path: str, run: str, chosen: Mapping[str, Sequence[str]]) -> tuple[str, str, str]:
    """(room, data set, the rest that tells files of one data set apart) of a room's file.

    The room is the first folder under `run`; the data set is the one whose name the path holds, or
    the room's only one. Raises ValueError if neither tells it.
    """
    here, *parts = PurePosixPath(path).relative_to(run).parts
    names = chosen[here]
    inner = "/" + "/".join(parts)
    held = [name for name in names if f"/{name}/" in inner or f"/{name}." in inner]
    if not held and len(names) > 1:
        raise ValueError(f"{path}: the path names none of the data sets {', '.join(names)}")
    dataset = max(held, key=len) if held else names[0]
    rest = [part for part in parts[:-1] if part not in (*dataset.split("/"), *SILENT)]
    return here, dataset, " ".join(rest).replace("_", " ")


def plan(
    report: Mapping[str, Sequence[str]],
    run: str,
    chosen: Mapping[str, Sequence[str]],
    table: Mapping[str, Dataset],
) -> dict[str, list[Figure]]:
    """Kind -> figures, in the order of the files of REPORT that they are made of.

    chosen: room -> data sets of the run; table: datasets.yaml.
    """
    found = {}
    for kind, source in KINDS.items():
        found[kind] = []
        for path in report[source]:
            here, dataset, rest = place(path, run, chosen)
            stem = PurePosixPath(path).relative_to(run).with_suffix("")
            called = title(dataset, table) + (f", {rest}" if rest and kind not in TITLED else "")
            name = "-".join(stem.parts) + ".svg"
            found[kind].append(Figure(kind, here, dataset, called, name))
    found["curves"] = [
        Figure("curves", here, "", here, f"{here}.svg") for here in curve_rooms(report, run)
    ]
    found["race"] = []
    for folder in races(report):
        here, dataset, _ = place(f"{folder}/ranking.json", run, chosen)
        called = f"{title(dataset, table)}: search by successive halving"
        name = "-".join(PurePosixPath(folder).relative_to(run).parts) + ".svg"
        found["race"].append(Figure("race", here, dataset, called, name))
    datasets = dict.fromkeys(name for names in chosen.values() for name in names)
    found["leaderboard"] = [
        Figure("leaderboard", "", name, title(name, table), f"{name.replace('/', '-')}.svg")
        for name in datasets
    ]
    return found


def curve_rooms(report: Mapping[str, Sequence[str]], run: str) -> list[str]:
    """The rooms that trained something, in the order of REPORT."""
    return list(dict.fromkeys(room(path, run) for path in report["histories"]))


def curve_groups(report: Mapping[str, Sequence[str]], run: str) -> list[int]:
    """For each history the number of its room's figure."""
    rooms = curve_rooms(report, run)
    return [rooms.index(room(path, run)) for path in report["histories"]]


def races(report: Mapping[str, Sequence[str]]) -> list[str]:
    """The folder of each search by successive halving: <folder>/rung<r>/ranking.json."""
    return list(dict.fromkeys(map(_search, report["searches"])))


def race_groups(report: Mapping[str, Sequence[str]]) -> list[int]:
    """For each ranking the number of its search's figure."""
    return [races(report).index(_search(path)) for path in report["searches"]]


def _search(path: str) -> str:
    return str(PurePosixPath(path).parents[1])
