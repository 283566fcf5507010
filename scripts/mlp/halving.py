"""Successive halving: many candidates for a few epochs, the best of them for more, and again.

Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization,
AISTATS 2016, algorithm 1; but the number of survivors and their epochs are free in each rung, and
a survivor starts again from fresh weights, since its learning rate follows the length of the run.

The result of a training is known by a key of all that it follows from. Snakemake plans a job again
when one of its inputs was written again, whatever is in it; a result that is kept under its key is
then used again. The folder of the kept ones is no output of a rule: those Snakemake removes first.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from pipeline.read_json import read_json


def entrant(path: Path, dataset: str, rung: int, place: int) -> dict:
    """The candidate at `place` (from 0) of the ranking of the rung before `rung`, or, for rung 0,
    of candidates.json: {"candidate", "settings", ...}.

    Raises InputError if the file is of another data set or rung, or has no such place.
    """
    ranking = read_json(path, ["dataset", "candidates"])
    found = ranking["dataset"], ranking.get("rung"), len(ranking["candidates"])
    expected = dataset, rung - 1 if rung else None
    if found[:2] != expected or place >= found[2]:
        wanted = f"data set and rung {expected} with a place {place}"
        found = f"{found[:2]} with {found[2]} places"
        raise InputError(f"{path}: expected {wanted}, found {found}: rank again")
    return ranking["candidates"][place]


def result_key(spec_key: str, candidate: Mapping, files: Iterable[Path]) -> str:
    """What a result follows from, as sha256 (hex): settings and code, the candidate, the data.

    Of the candidate its name, settings and, if it diverged, how; files: small ones that name the
    data by checksum (meta.json).
    """
    how = ("message", "parameters") if candidate.get("diverged") else ()
    names = "candidate", "settings", "diverged", *how
    entered = json.dumps({name: candidate.get(name) for name in names}, sort_keys=True)
    causes = "\n".join([spec_key, entered, *map(file_sha256, files)])
    return hashlib.sha256(causes.encode()).hexdigest()


def recall(path: Path | None) -> dict | None:
    """The result that was kept at `path`, which is named after its key; None if none is whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError):
        return None
