"""Compare a folder of results with its manifest, and two runs with each other."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from manifest.stable import results, stable_sha256, volatile
from pipeline.errors import InputError
from pipeline.hashing import file_sha256

# The columns that name a row of the leaderboard.
KEY = (
    "task", "dataset", "model", "inputs", "views", "members", "subset", "implementation", "metric",
    "split", "source",
)  # fmt: skip
# What `make reference` adds to its copy of a part of a run.
REFERENCE_FILES = ("README.md", "jobs.csv", "mlp_step.csv", "dag_cost.csv")


def read_manifest(run: Path) -> dict:
    """The manifest of the folder `run`. Raises InputError if there is none."""
    path = run / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["manifest_version"] != 1:
            raise InputError(f"{path}: version {manifest['manifest_version']}, expected 1")
        return manifest
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: finish the run first (make run)") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a manifest of this project ({error!r})") from None


def _differs(path: Path, entry: Mapping) -> str | None:
    """What is wrong with a file that an entry of the manifest describes, or None."""
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"changed ({size:,} bytes, expected {entry['bytes']:,})"
    return None if file_sha256(path) == entry["sha256"] else "changed (sha256)"


def check(run: Path, manifest: Mapping, part: bool) -> tuple[list[str], dict[str, int]]:
    """(a line for each missing, changed or extra file, files counted by what was found).

    part: the folder holds only some of the run's files (results/reference), so none is missing.
    Inputs are checked if they are there; a results folder may be kept without them.
    """
    lines, counts = [], {"as recorded": 0, "missing": 0, "changed": 0, "extra": 0}
    entries = [(run / entry["path"], entry) for entry in manifest["outputs"]]
    entries += [(run / entry["path"], entry) for entry in manifest["others"]]
    if not part:
        entries += [(Path(e["path"]), e) for e in manifest["inputs"] if Path(e["path"]).exists()]
    for path, entry in entries:
        found = _differs(path, entry)
        if found == "missing" and part:
            continue
        kind = found.split()[0] if found else "as recorded"
        counts[kind] += 1
        if found:
            lines.append(f"{found}: {path}")
    known = {entry["path"] for entry in (*manifest["outputs"], *manifest["others"])}
    for name in sorted(set(results(run)) - known - set(REFERENCE_FILES if part else ())):
        counts["extra"] += 1
        lines.append(f"extra: {run / name}")
    return lines, counts


def _rows(path: Path) -> dict[tuple[str, ...], dict]:
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        missing = sorted(set(KEY) - set(reader.fieldnames or ()))
        if missing:
            raise InputError(f"{path}: not a leaderboard: no column {', '.join(missing)}")
        return {tuple(row[name] for name in KEY): row for row in reader}


def compare_leaderboards(one: Path, other: Path) -> list[str]:
    """A line for each row that only one leaderboard has, and each value in which a row differs."""
    first, second = _rows(one), _rows(other)
    lines = []
    for key in dict.fromkeys([*first, *second]):
        name = "leaderboard: " + ", ".join(part for part in key if part)
        if key not in first or key not in second:
            lines.append(f"{name}: only in {one if key in first else other}")
            continue
        lines += [
            f"{name}: {column}: {first[key].get(column)} and {second[key].get(column)}"
            for column in dict.fromkeys([*first[key], *second[key]])
            if not volatile(column) and first[key].get(column) != second[key].get(column)
        ]
    return lines


def _stable(run: Path, part: bool) -> dict[str, str | None]:
    """Path -> stable sha256 of the files; of a part, also what its manifest says of the rest."""
    found = {name: stable_sha256(run / name) for name in results(run)}
    if part or not found:
        kept = {e["path"]: e["stable_sha256"] for e in read_manifest(run)["outputs"]}
        found = kept | {name: value for name, value in found.items() if name in kept}
    return found


def compare(one: Path, other: Path, parts: tuple[bool, bool]) -> tuple[list[str], int]:
    """(a line for each difference between two runs, number of files that are the same).

    Leaderboards are compared by row and column, other files by what must not differ. parts: whether
    each folder holds only some of its run's files.
    """
    lines = compare_leaderboards(one / "leaderboard.csv", other / "leaderboard.csv")
    first, second = _stable(one, parts[0]), _stable(other, parts[1])
    same = 0
    for name in sorted({*first, *second} - {"leaderboard.csv"}):
        if name not in first or name not in second:
            lines.append(f"{name}: only in {one if name in first else other}")
        elif first[name] != second[name]:
            lines.append(f"{name}: differs")
        else:
            same += first[name] is not None
    return lines, same


def surroundings(one: Mapping, other: Mapping) -> list[str]:
    """What may explain why two runs differ: configuration, code, machine, packages."""
    without_name = [
        {key: value for key, value in manifest["config"]["values"].items() if key != "run"}
        for manifest in (one, other)
    ]
    lines = []
    for key in sorted({*without_name[0], *without_name[1]}):
        if without_name[0].get(key) != without_name[1].get(key):
            lines.append(f"config.{key} differs")
    names = {**one["code"]["programs"], **other["code"]["programs"]}
    lines += [
        f"the code of {name} differs"
        for name in sorted(names)
        if one["code"]["programs"].get(name) != other["code"]["programs"].get(name)
    ]
    for key in ("processor", "blas_kernels", "device", "versions"):
        values = [sorted({str(t.get(key)) for t in m["trained_on"]}) for m in (one, other)]
        if values[0] != values[1]:
            texts = " and ".join(", ".join(value) for value in values)
            lines.append(f"{key} of the trainings differs: {texts}; same bytes are not promised")
    return lines
