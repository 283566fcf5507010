"""A JSON file that another program of the pipeline wrote."""

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import InputError


def read_json(path: str | Path, keys: Sequence[str], remedy: str = "Make it again.") -> dict:
    """The JSON object in a file, with all of `keys` in it.

    Raises InputError that ends with `remedy`: no file, a damaged one, or one of something else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        missing = [key for key in keys if not isinstance(value, dict) or key not in value]
        problem = f"none of {', '.join(missing)}" if missing else ""
    except (OSError, ValueError, RecursionError) as error:
        value, problem = {}, " ".join(str(error).split())
    if problem:
        wanted = f"a JSON object with {', '.join(keys)}"
        raise InputError(f"{path}: expected {wanted}, found: {problem}. {remedy}")
    return value
