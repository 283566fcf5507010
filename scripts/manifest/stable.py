"""What must be the same in every run of a configuration, and what may differ: times and places.

Of a file all bytes must be the same; of JSON, CSV and .npz all but the keys, columns and arrays
that are named here.
"""

import csv
import hashlib
import json
import zipfile
from pathlib import Path

from pipeline.hashing import canonical_sha256, file_sha256

# Keys, columns and arrays that say when, where and how fast, never what was found.
# config_sha256 holds the run's name too; the manifest compares the configurations themselves.
VOLATILE = ("provenance", "commit", "run", "config_sha256")
# Every name with this ending: seconds, train_seconds, fold_seconds.
VOLATILE_END = "seconds"
# Pages and figures that show seconds or commits between everything else.
VOLATILE_FILES = ("report.html", "mlp-search.svg")
# Below the run's folder: no results, not in the manifest.
NO_RESULTS = ("logs", "benchmarks")
OWN_FILES = ("manifest.json", "ro-crate-metadata.json", "Snakefile", "snakemake-report.html")


def volatile(name: str) -> bool:
    """Whether a key or column of this name may differ between two equal runs."""
    return name in VOLATILE or name.endswith(VOLATILE_END)


def without_volatile(value: object) -> object:
    """`value`, as read from JSON, without volatile keys at any depth."""
    if isinstance(value, dict):
        return {key: without_volatile(item) for key, item in value.items() if not volatile(key)}
    if isinstance(value, list):
        return [without_volatile(item) for item in value]
    return value


def _arrays_sha256(path: Path) -> str:
    """The sha256 over the names and bytes of the arrays of an .npz file that are not volatile."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        kept = [name for name in names if not volatile(name.removesuffix(".npy"))]
        if kept == names:
            return file_sha256(path)
        digest = hashlib.sha256()
        for name in kept:
            digest.update(name.encode() + b"\0" + hashlib.sha256(archive.read(name)).digest())
    return digest.hexdigest()


def stable_sha256(path: Path) -> str | None:
    """The sha256 of what must be the same in every run; None if nothing must.

    Of a file that is no JSON, CSV or .npz, despite its name, all bytes must.
    """
    if path.name in VOLATILE_FILES:
        return None
    try:
        if path.suffix == ".json":
            value = without_volatile(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as opened:
                header, *rows = csv.reader(opened, strict=True)
            kept = [place for place, name in enumerate(header) if not volatile(name)]
            value = [[row[place] for place in kept] for row in [header, *rows]]
        elif path.suffix == ".npz":
            return _arrays_sha256(path)
        else:
            return file_sha256(path)
    except (ValueError, IndexError, csv.Error, zipfile.BadZipFile):
        return file_sha256(path)
    return canonical_sha256(value)


def results(run: Path) -> list[str]:
    """Every result under the folder `run`, relative to it, sorted: nothing hidden, no logs."""
    found = (path.relative_to(run) for path in run.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in found
        if path.parts[0] not in NO_RESULTS
        and path.as_posix() not in OWN_FILES
        and not any(part.startswith(".") for part in path.parts)
    )
