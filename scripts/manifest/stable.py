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
VOLATILE = ("provenance", "commit", "run", "config_sha256", "kernels")
# Every name with this ending: seconds, train_seconds, fold_seconds.
VOLATILE_END = "seconds"
# Pages that show seconds or commits between everything else.
VOLATILE_FILES = ("report.html",)
# Below the run's folder: no results, not in the manifest.
NO_RESULTS = ("logs", "benchmarks")
OWN_FILES = ("manifest.json", "ro-crate-metadata.json", "Snakefile", "snakemake-report.html")


def volatile(name: str) -> bool:
    """Whether a key or column of this name may differ between two equal runs."""
    return name in VOLATILE or name.endswith(VOLATILE_END)


def without_volatile(found: dict) -> dict:
    return {key: value for key, value in found.items() if not volatile(key)}


def stable_sha256(path: Path) -> str | None:
    """The sha256 of what must be the same in every run; None if nothing must.

    Of a file that is no JSON, CSV or .npz, despite its name, all bytes must.
    """
    if path.name in VOLATILE_FILES:
        return None
    try:
        if path.suffix == ".json":
            text = path.read_text(encoding="utf-8")
            return canonical_sha256(json.loads(text, object_hook=without_volatile))
        if path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as opened:
                header, *rows = csv.reader(opened, strict=True)
            places = [place for place, name in enumerate(header) if not volatile(name)]
            return canonical_sha256([[row[place] for place in places] for row in [header, *rows]])
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = sorted(archive.namelist())
                kept = [name for name in names if not volatile(name.removesuffix(".npy"))]
                parts = [(name, hashlib.sha256(archive.read(name))) for name in kept]
            if kept != names:
                joined = b"".join(name.encode() + b"\0" + part.digest() for name, part in parts)
                return hashlib.sha256(joined).hexdigest()
    except (ValueError, IndexError, csv.Error, zipfile.BadZipFile):
        pass
    return file_sha256(path)


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
