"""Checksums of files and of values."""

import hashlib
import json
from pathlib import Path


def file_sha256(path: str | Path) -> str:
    """The sha256 (hex) of a file's bytes."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def canonical_sha256(value: object) -> str:
    """The sha256 (hex) of `value` as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
