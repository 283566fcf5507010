"""The one raw file of somebody's own sequences: written by own_sequences, read by dna.prepare.

It has a JSON list in each line: [id, sequence, label, split], the sequence in A, C, G, T and N, the
split train, val, test or "" where the data have none.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.atomic import replacing
from pipeline.errors import InputError

RAW_FILE = "sequences.jsonl"


def write_collected(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows of id, sequence, label and split."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_collected(path: Path) -> tuple[list[str], list[str], list[str], list[str]]:
    """Ids, sequences, labels and splits of the file that `write_collected` wrote.

    Raises InputError if it is another file.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
        ids, sequences, labels, splits = map(list, zip(*found, strict=True))
        if not all(isinstance(text, str) for row in found for text in row):
            raise ValueError("another kind of row")
    except (OSError, ValueError) as error:
        wrong = f"expected rows that `make dna DATA=path` wrote, found: {error}"
        raise InputError(f"{path}: {wrong}. Run that command again.") from None
    return ids, sequences, labels, splits
