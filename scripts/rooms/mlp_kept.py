"""Results that are kept: a training whose every cause is the same is not done again.

Snakemake plans a job anew when a file before it is written anew, whatever is in it. A search that
ran again and chose the same candidate would retrain all that follows. So a training writes a key of
its causes beside its result, and a result that is there with the right key stays, where the rule's
outputs are `update(...)`, so that Snakemake leaves them in place: those of the rungs. Snakemake
takes away the old outputs of a final training; a key helps there only whoever runs it by hand.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.checkpoint import file_sha256


def key(spec_key: str, settings: Mapping, *files: Path) -> str:
    """What a result follows from, as sha256 (hex): settings and code, the candidate, the data.

    settings: the candidate's; files: small ones that name the data by checksum (meta.json).
    """
    parts = [spec_key, json.dumps(settings, sort_keys=True), *map(file_sha256, files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def kept(path: Path, expected: str) -> bool:
    """Whether the result at `path` is whole and has the key `expected`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["key"] == expected
    except (OSError, ValueError, KeyError, TypeError):
        return False
