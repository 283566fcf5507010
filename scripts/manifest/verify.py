"""Check a folder of results against its manifest, or compare it with another run.

    python -m manifest.verify --run results/demo                      (make verify PRESET=demo)
    python -m manifest.verify --run results/demo --against other/results/demo

Prints a line for each file that is missing, changed or extra, or for each row, column and file in
which two runs differ (other than in seconds, commits and paths), then one verdict. Ends with status
1 if anything was found. --part: the folder holds only a part of its run's files; results/reference
is recognised as such by its jobs.csv.
"""

import argparse
import sys
from pathlib import Path

from manifest.check import check, compare, read_manifest, surroundings
from pipeline import settings
from pipeline.errors import InputError

SHOWN = 200  # lines: a run of other code differs in every file
AGAIN = """
To make changed or missing files again: make run ARGS="--forcerun FILE ..." with their names.
A plain make run keeps a changed file and computes what depends on it (docs/recovery.md)."""


def verdict(lines: list[str], good: str, bad: str) -> None:
    """Print `lines` and the verdict; end with status 1 if there are any."""
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"... and {len(lines) - SHOWN} more")
    print(bad if lines else good)
    sys.exit(1 if lines else 0)


def is_part(run: Path) -> bool:
    """Whether `run` is a copy of a run's small files, as `make reference` writes it."""
    return (run / "jobs.csv").exists() and not (run / "benchmarks").exists()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--against", type=Path, help="folder of another run to compare with")
    parser.add_argument("--part", action="store_true", help="--run holds only some of the files")
    args = parser.parse_args()
    run, other = args.run, args.against
    for folder in filter(None, (run, other)):
        if not (folder / "leaderboard.csv").exists():
            raise InputError(f"{folder}: not a finished run: it has no leaderboard.csv")
    part = args.part or is_part(run)
    if other is None:
        manifest = read_manifest(run)
        lines, counts = check(run, manifest, part)
        found = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
        code = manifest["code"]
        made = f"run {manifest['run']}, commit {code['commit']}{' (dirty)' * bool(code['dirty'])}"
        again = AGAIN if counts["changed"] + counts["missing"] and not part else ""
        verdict(
            lines,
            f"{run} is as its manifest says ({made}): {found}",
            f"{run} is NOT as its manifest says ({made}): {found}{again}",
        )
    lines, same = compare(run, other, (part, is_part(other)))
    if all((folder / "manifest.json").exists() for folder in (run, other)):
        for line in surroundings(read_manifest(run), read_manifest(other)):
            print(f"note: {line}")
    verdict(
        lines,
        f"{run} and {other} agree: every metric of the leaderboard and {same} files",
        f"{run} and {other} DIFFER: {len(lines)} differences, {same} files the same",
    )


if __name__ == "__main__":
    settings.run(main)
