"""The history.json of trainings, read again beside the weights that came out of them."""

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import InputError


def read_histories(weights: Sequence[Path], histories: Sequence[Path]) -> list[dict]:
    """The histories, one for each of the weights, in the same order.

    Raises InputError if their numbers differ or a history cannot be read.
    """
    if len(weights) != len(histories):
        raise InputError(
            f"expected one history.json for each of the {len(weights)} weights, in the same order,"
            f" found {len(histories)}"
        )
    found = []
    for path in histories:
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
            if not isinstance(found[-1], dict):
                raise ValueError(f"a {type(found[-1]).__name__}")
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path}: expected a history, found: {error}. Train again.") from None
    return found
