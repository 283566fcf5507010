"""Checkpoints of a training run: one .npz of plain arrays, replaced atomically.

A checkpoint belongs to one key: the sha256 of the stage's settings, its code and its input files.
A run with any other key does not see it, so that a stale state is never resumed. One process at a
time has the directory (pipeline.lock); SIGTERM and Ctrl-C wait for the next save
(pipeline.termination).
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline import termination
from pipeline.atomic import write_npz
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from pipeline.lock import lock_directory
from pipeline.npz import read_npz


class Checkpoint:
    """The checkpoint of one run, in `directory`, which no other process may use meanwhile.

        checkpoint = Checkpoint(directory, spec_key, *inputs)
        if stored := checkpoint.load(): ...
        while ...:
            ...
            if checkpoint.stopping or <some time has passed>:
                checkpoint.save(arrays, meta)  # after a signal it ends the program
        <write the declared outputs>
        checkpoint.clear()

    `directory` is not a declared output of the rule, so that Snakemake leaves it alone when the job
    fails or is killed; `clear` removes it once the declared outputs are in place.
    Raises InputError if another process uses `directory`, or if it cannot be written.
    """

    def __init__(self, directory: str | Path, spec_key: str, *inputs: str | Path):
        causes = spec_key + "".join(map(file_sha256, inputs))
        self.key = hashlib.sha256(causes.encode()).hexdigest()
        self.directory = Path(directory)
        self.path = self.directory / f"{self.key[:16]}.npz"
        self._lock = lock_directory(self.directory)
        termination.defer()

    @classmethod
    def of(cls, args: argparse.Namespace, *inputs: str | Path) -> "Checkpoint | None":
        """That of a program's command line; None if it was given no --checkpoint."""
        return cls(args.checkpoint, args.spec_key, *inputs) if args.checkpoint else None

    @property
    def stopping(self) -> bool:
        """Whether SIGTERM or Ctrl-C came: the next `save` ends the program."""
        return termination.requested()

    def load(self) -> tuple[dict[str, np.ndarray], dict] | None:
        """Return (arrays, meta) of the last `save`, or None if there is none for this key.

        A file that cannot be read is no checkpoint: a note says so, and the training starts over.
        """
        if not self.path.exists():
            return None
        try:
            arrays = read_npz(self.path)
            meta = json.loads(arrays.pop("__meta__").tobytes())
            return (arrays, meta["state"]) if meta["key"] == self.key else None
        except (InputError, ValueError, KeyError, TypeError, RecursionError) as error:
            print(f"note: no whole checkpoint, starting over ({error})", flush=True)
            return None

    def save(self, arrays: Mapping[str, np.ndarray], meta: dict) -> None:
        """Replace the checkpoint by `arrays` (no Python objects) and `meta` (JSON).

        After SIGTERM or Ctrl-C it ends the program (SystemExit) once the checkpoint is written.
        """
        encoded = json.dumps({"key": self.key, "state": meta}).encode()
        write_npz(self.path, __meta__=np.frombuffer(encoded, np.uint8), **arrays)
        if self.stopping:
            self._lock.release(force=True)
            termination.end(f"the state is saved in {self.directory}: run again to continue")

    def clear(self) -> None:
        """Remove the checkpoint and its directory; a signal ends the process at once again."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self._lock.release(force=True)
        termination.accept()
