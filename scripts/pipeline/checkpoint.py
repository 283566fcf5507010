"""Checkpoints of a training run: one .npz of plain arrays, replaced atomically.

A checkpoint belongs to one key: the sha256 of the stage's settings, its code and its input files.
A run with any other key does not see it, so that a stale state is never resumed.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.atomic import write_npz


def file_sha256(path: str | Path) -> str:
    """The sha256 (hex) of a file's bytes."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


class Checkpoint:
    """The checkpoint of one run, in `directory`.

    `directory` is not a declared output of the rule, so that Snakemake leaves it alone when the job
    fails or is killed; `clear` removes it once the declared outputs are in place.
    """

    def __init__(self, directory: str | Path, spec_key: str, *inputs: str | Path):
        digest = hashlib.sha256(spec_key.encode())
        for path in inputs:
            digest.update(file_sha256(path).encode())
        self.directory = Path(directory)
        self.key = digest.hexdigest()
        self.path = self.directory / f"{self.key[:16]}.npz"

    def load(self) -> tuple[dict[str, np.ndarray], dict] | None:
        """Return (arrays, meta) of the last `save`, or None if there is none for this key."""
        if not self.path.exists():
            return None
        with np.load(self.path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop("__meta__").tobytes())
        return (arrays, meta["state"]) if meta["key"] == self.key else None

    def save(self, arrays: Mapping[str, np.ndarray], meta: dict) -> None:
        """Replace the checkpoint by `arrays` (no Python objects) and `meta` (JSON)."""
        encoded = json.dumps({"key": self.key, "state": meta}).encode()
        write_npz(self.path, __meta__=np.frombuffer(encoded, np.uint8), **arrays)

    def clear(self) -> None:
        """Remove the checkpoint and its directory."""
        shutil.rmtree(self.directory, ignore_errors=True)
