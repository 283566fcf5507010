"""Read and check what a prepare program wrote into data/processed/<dataset>."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.npz import read_npz


def again(path: str | Path) -> str:
    """What to do about a prepared file that cannot be used."""
    return f"Delete {Path(path).parent} and run again."


def load_arrays(path: str | Path, *names: str) -> list[np.ndarray]:
    """The arrays `names` of an .npz. Raises InputError that says what to delete."""
    try:
        found = read_npz(path, names)
    except InputError as error:
        raise InputError(f"{error}. {again(path)}") from None
    return [found[name] for name in names]


def load_json(path: str | Path, keys: Sequence[str]) -> dict:
    """The JSON object of a prepared meta.json, with all of `keys` in it.

    Raises InputError that says what to delete.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        missing = [key for key in keys if key not in value] if isinstance(value, dict) else keys
        problem = f"none of {', '.join(missing)}" if missing else ""
    except (OSError, ValueError, RecursionError) as error:
        value, problem = {}, " ".join(str(error).split())
    if problem:
        raise InputError(
            f"{path}: expected a JSON object with {', '.join(keys)}, found: {problem}. "
            f"{again(path)}"
        )
    return value
