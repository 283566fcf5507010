"""The tables that benchmarks/ writes, read for README.md and results/reference/."""

import csv
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import InputError


def read_benchmark(path: Path, needed: Sequence[str], command: str) -> list[dict]:
    """The rows of a benchmark's CSV.

    needed: columns that it must have; command: what measures it. Raises InputError if a column is
    missing, or if there are no rows.
    """
    with path.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        rows = list(reader)
    if missing or not rows:
        raise InputError(f"{path}: no {', '.join(missing) or 'rows'} in it: run {command} again")
    return rows
