"""Check a folder of results against its manifest, or compare it with another run.

    python -m manifest.verify --run results/demo                      (make verify PRESET=demo)
    python -m manifest.verify --run results/demo --against other/results/demo

Prints a line for each file that is missing, changed or extra, or for each row, column and file in
which two runs differ (other than in seconds, commits and paths), then one verdict. Ends with status
1 if anything was found. --part: the folder holds only a part of its run's files; results/reference
is recognised as such by its jobs.csv.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from manifest.stable import results, stable_sha256, volatile
from pipeline import settings
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from reporting import leaderboard

KEY = (*leaderboard.KEY, "source")  # the columns that name a row
ROW = "leaderboard: "  # before a row's names, where rows and files are listed together
# What `make reference` adds to its copy of a part of a run.
REFERENCE_FILES = {
    "README.md", "jobs.csv", "mlp_step.csv", "mlp_products.csv", "gpt_speed.csv", "dna_speed.csv",
    "cnn_speed.csv", "numpy_gpt_speed.csv", "dag_cost.csv",
}  # fmt: skip
SHOWN = 200  # lines: a run of other code differs in every file
AGAIN = """
To make changed or missing files again: make run ARGS="--forcerun FILE ..." with their names.
A plain make run keeps a changed file and computes what depends on it (docs/recovery.md)."""


def is_part(run: Path) -> bool:
    """Whether `run` is a copy of a run's small files, as `make reference` writes it."""
    return (run / "jobs.csv").exists() and not (run / "benchmarks").exists()


def read_manifest(run: Path) -> dict:
    """The manifest of the folder `run`. Raises InputError if there is none."""
    path = run / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}: finish the run first (make run)") from None
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != 1:
        raise InputError(f"{path}: not a manifest of this project, version 1")
    return manifest


def state(path: Path, entry: Mapping) -> str:
    """How a file is that an entry of the manifest describes: as recorded, missing, changed ..."""
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"changed ({size:,} bytes, expected {entry['bytes']:,})"
    return "as recorded" if file_sha256(path) == entry["sha256"] else "changed (sha256)"


def check(run: Path, manifest: Mapping, part: bool) -> tuple[list[str], Counter[str]]:
    """(a line for each missing, changed or extra file, files counted by what was found).

    part: the folder holds only some of the run's files (results/reference), so none is missing.
    Inputs are checked if they are there; a results folder may be kept without them.
    """
    own = [*manifest["outputs"], *manifest["others"]]
    entries = [(run / entry["path"], entry) for entry in own]
    if not part:
        entries += [(Path(e["path"]), e) for e in manifest["inputs"] if Path(e["path"]).exists()]
    found = [(state(path, entry), path) for path, entry in entries]
    extra = set(results(run)) - {e["path"] for e in own} - (REFERENCE_FILES if part else set())
    found += [("extra", run / name) for name in sorted(extra)]
    found = [(what, path) for what, path in found if not (part and what == "missing")]
    counts = Counter(what.partition(" (")[0] for what, _ in found)
    return [f"{what}: {path}" for what, path in found if what != "as recorded"], counts


def records(manifest: Mapping, run: str = "") -> list[Mapping]:
    """The manifest, or what a reference keeps of those of its runs: of all, or of the one named."""
    if "runs" not in manifest:
        return [manifest]
    return [one for one in manifest["runs"] if not run or one["run"] == run]


def reference_of(folder: Path, run: str) -> dict[str, Any]:
    """As `contents`, of what a reference keeps of `run`: rows, and the files of its rooms."""
    manifest, start = read_manifest(folder), f"{run}/"
    with (folder / "leaderboard.csv").open(newline="", encoding="utf-8") as opened:
        rows = {row_name(row): row for row in csv.DictReader(opened) if row["run"] == run}
    files = {e["path"]: e["stable_sha256"] for e in manifest["outputs"]}
    return rows | {p.removeprefix(start): s for p, s in files.items() if p.startswith(start)}


def row_name(row: Mapping) -> str:
    return ROW + ", ".join(filter(None, (row[key] for key in KEY)))


def contents(run: Path, part: bool) -> dict[str, Any]:
    """What must be the same in another run: each row of the leaderboard and each file.

    `leaderboard: <its names>` -> column -> text, then path -> stable sha256 of all other files; of
    a part, also what its manifest says of the rest.
    """
    board = run / "leaderboard.csv"
    with board.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        if missing := sorted(set(KEY) - set(reader.fieldnames or ())):
            raise InputError(f"{board}: not a leaderboard: no column {', '.join(missing)}")
        rows = {row_name(row): row for row in reader}
    files = {name: stable_sha256(run / name) for name in results(run)}
    if part:
        kept = {e["path"]: e["stable_sha256"] for e in read_manifest(run)["outputs"]}
        files = kept | {name: value for name, value in files.items() if name in kept}
    files.pop("leaderboard.csv", None)
    return rows | files


def compare(one: Path, other: Path, parts: tuple[bool, bool]) -> tuple[list[str], int]:
    """(a line for each difference between two runs, number of files that are the same).

    Leaderboards are compared by row and column, other files by what must not differ. parts: whether
    each folder holds only some of its run's files.
    """
    pair = [contents(folder, part) for folder, part in zip((one, other), parts, strict=True)]
    for here, there in ((0, 1), (1, 0)):
        folder, run = (one, other)[here], (one, other)[there]
        if part_of_several(folder):
            pair[here] = reference_of(folder, read_manifest(run)["run"])
            # The rooms' own rows and files alone: published results and pages are of all runs.
            pair[there] = {name: found for name, found in pair[there].items() if own(name, found)}
    (first, second), lines, same = pair, [], 0
    # The rows first, as they are in the files; then the files by name.
    for name in sorted({**first, **second}, key=lambda name: "" if name.startswith(ROW) else name):
        if name not in first or name not in second:
            lines.append(f"{name}: only in {one if name in first else other}")
            continue
        here, there = first[name], second[name]
        if name.startswith(ROW):
            lines += [
                f"{name}: {column}: {here.get(column)} and {there.get(column)}"
                for column in differing(here, there)
                if not volatile(column)
            ]
        elif here != there:
            lines.append(f"{name}: differs")
        else:
            same += here is not None
    return lines, same


def part_of_several(folder: Path) -> bool:
    """Whether a folder is a reference, which keeps rooms of several runs."""
    path = folder / "manifest.json"
    return path.exists() and "runs" in json.loads(path.read_text(encoding="utf-8"))


def own(name: str, found: Any) -> bool:
    """Whether a row or a file is one of a room's, not a page of the whole run."""
    if name.startswith(ROW):
        return found["source"] == leaderboard.OURS
    return "/" in name and not name.startswith("notebooks/")


def differing(first: Mapping, second: Mapping) -> list[str]:
    """The keys whose values differ, or that one of the two lacks."""
    return [key for key in {**first, **second} if first.get(key) != second.get(key)]


def surroundings(one: Mapping, other: Mapping) -> list[str]:
    """What may explain why two runs differ: configuration, code, machine, packages."""
    configs = differing(one["config"]["values"], other["config"]["values"])
    programs = differing(one["code"]["programs"], other["code"]["programs"])
    lines = [f"config.{key} differs" for key in sorted(configs) if key != "run"]
    lines += [f"the code of {name} differs" for name in sorted(programs)]
    for key in ("processor", "kernels", "blas_kernels", "device", "versions"):
        values = [sorted({str(t.get(key)) for t in m["trained_on"]}) for m in (one, other)]
        if values[0] != values[1]:
            texts = " and ".join(", ".join(value) for value in values)
            lines.append(f"{key} of the trainings differs: {texts}; same bytes are not promised")
    return lines


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--against", type=Path, help="folder of another run to compare with")
    parser.add_argument("--part", action="store_true", help="--run holds only some of the files")
    args = parser.parse_args()
    run, other = args.run, args.against
    for folder in filter(None, (run, other)):
        if not (folder / "leaderboard.csv").exists():
            raise InputError(f"{folder}: not a finished run: it has no leaderboard.csv")
    part = args.part or is_part(run)
    if other:
        lines, same = compare(run, other, (part, is_part(other)))
        if all((folder / "manifest.json").exists() for folder in (run, other)):
            one, two = read_manifest(run), read_manifest(other)
            pairs = product(records(one, two["run"]), records(two, one["run"]))
            for line in dict.fromkeys(line for pair in pairs for line in surroundings(*pair)):
                print(f"note: {line}")
        good = f"{run} and {other} agree: every metric of the leaderboard and {same} files"
        bad = f"{run} and {other} DIFFER: {len(lines)} differences, {same} files the same"
    else:
        manifest = read_manifest(run)
        lines, counts = check(run, manifest, part)
        kinds = ("as recorded", "missing", "changed", "extra")
        found = "files: " + ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind])
        codes = [(one["run"], one["code"]) for one in records(manifest)]
        dirty = [(run, code["commit"] + " (dirty)" * bool(code["dirty"])) for run, code in codes]
        made = "; ".join(f"run {run}, commit {commit}" for run, commit in dirty)
        good = f"{run} is as its manifest says ({made}); {found}"
        bad = f"{run} is NOT as its manifest says ({made}); {found}"
        bad += AGAIN if counts["changed"] + counts["missing"] and not part else ""
    print(*lines[:SHOWN], sep="\n", end="\n" if lines else "")
    if len(lines) > SHOWN:
        print(f"... and {len(lines) - SHOWN} more")
    print(bad if lines else good)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    settings.run(main)
