"""The checksum of a file."""

import hashlib
from pathlib import Path


def file_sha256(path: str | Path) -> str:
    """The sha256 (hex) of a file's bytes."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
