"""results/reference: the small files of several runs, room by room, and the record of them.

    results/reference/<run>/<room>/...          metrics, histories, selections, samples, submissions
    results/reference/<run>/figures/<kind>/...  the figures of the rooms
    results/reference/manifest.json             what made each of them; beside it, the page of all

manifest.json is one like that of a run (`make verify RESULTS=results/reference`). Its `outputs` are
those of the rooms that are kept, also what is too large to be copied, below the run's name. Its
`runs` hold the rest of each run's manifest, with `rooms` (room -> when it was finished) for what is
still kept of it. A run marked `retired` is an earlier one of a preset that by now trains less:
another run that trains one of its models again takes that model's place.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from pipeline.errors import InputError
from reporting.leaderboard import OURS, read_metrics

EMPTY = {"manifest_version": 1, "run": "reference", "runs": [], "outputs": [], "others": []}


def read(folder: Path) -> dict:
    """The manifest of the folder; without one, that of an empty folder."""
    path = folder / "manifest.json"
    if not path.exists():
        return json.loads(json.dumps(EMPTY))
    manifest = json.loads(path.read_text(encoding="utf-8"))
    if "runs" not in manifest:
        raise InputError(f"{path}: not the manifest of a reference, with several runs")
    return manifest


def belongs(path: str, place: str) -> bool:
    """Whether a file, by its path in a run's folder, is one of `place`, or a figure of it.

    place: a room or the folder of a model in it, `mlp` or `mlp/mixer`.
    """
    parts, stem = PurePosixPath(path).parts, PurePosixPath(path).stem
    if parts[0] == "figures":
        dashed = place.replace("/", "-")
        return stem == dashed or stem.startswith(f"{dashed}-")
    return path.startswith(f"{place}/")


def without(manifest: dict, run: str, places: Iterable[str]) -> tuple[dict, list[str]]:
    """(the manifest without the files of `places` in `run`, those files)."""
    gone = [
        entry["path"]
        for entry in manifest["outputs"]
        for place in places
        if entry["path"].startswith(f"{run}/")
        and belongs(entry["path"].removeprefix(f"{run}/"), place)
    ]
    left = [entry for entry in manifest["outputs"] if entry["path"] not in set(gone)]
    return {**manifest, "outputs": left}, gone


def finished(manifest: Mapping, run: str) -> dict[str, str]:
    """Room -> when what is kept of it in `run` was finished."""
    records = (record for record in manifest["runs"] if record["run"] == run)
    return {room: end for record in records for room, end in record["rooms"].items()}


def kept(folder: Path, manifest: Mapping, *names: str) -> list[tuple[dict, str, Path]]:
    """(record of the run, room, path) of every file of these names, in the order of the page."""
    found = []
    for record in manifest["runs"]:
        for room in record["rooms"]:
            start = f"{record['run']}/{room}/"
            paths = [e["path"] for e in manifest["outputs"] if e["path"].startswith(start)]
            there = (folder / path for path in paths if PurePosixPath(path).name in names)
            found += [(record, room, path) for path in there if path.exists()]
    return found


def rows(folder: Path, manifest: Mapping) -> list[dict]:
    """The leaderboard's rows of all runs, as their evaluations wrote them."""
    return [
        {**row, "run": record["run"], "config_sha256": record["config_sha256"], "source": OURS}
        for record, _, path in kept(folder, manifest, "metrics.json", "baselines.json")
        for row in read_metrics(path)
    ]
