"""Results that are kept: a training whose every cause is the same is not done again.

Snakemake plans a job again when one of its inputs was written again, whatever is in it. A search
that ran again and chose the same candidate would retrain all that follows. So a training is known
by a key of its causes, and a result with the right key stays. Those of the rungs are in a folder
that is no output of a rule: Snakemake removes an output before its job starts, and with update() it
would put the old file back when the job is stopped, newer than all that it is made of. The old
outputs of a final training are removed likewise; there a key helps only those who run it by hand.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.atomic import write_json
from pipeline.checkpoint import file_sha256


def key(spec_key: str, candidate: Mapping, *files: Path) -> str:
    """What a result follows from, as sha256 (hex): settings and code, the candidate, the data.

    candidate: all that the result takes from the search; files: small ones that name the data by
    checksum (meta.json).
    """
    parts = [spec_key, json.dumps(candidate, sort_keys=True), *map(file_sha256, files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def recall(folder: Path | None, expected: str) -> dict | None:
    """The result with the key `expected` that `keep` wrote; None if there is no whole one."""
    return _read(folder / f"{expected}.json", expected) if folder else None


def keep(folder: Path | None, result: Mapping) -> None:
    """Keep a result, which has its key as "key", for later runs; nothing without a folder."""
    if folder:
        write_json(folder / f"{result['key']}.json", result)


def kept(history: Path, weights: Path, expected: str) -> bool:
    """Whether a training with the key `expected` is there, its weights as they were written."""
    found = _read(history, expected)
    try:
        return found is not None and file_sha256(weights) == found["weights_sha256"]
    except (OSError, KeyError):
        return False


def _read(path: Path, expected: str) -> dict | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if found["key"] == expected else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
