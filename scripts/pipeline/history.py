"""The history.json of trainings, read again beside the weights that came out of them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError

# What every evaluation reads of the trainings, for pipeline.settings.arguments.
TRAININGS = {
    "weights*": "the trained weights, one file per seed",
    "histories*": "history.json of the trainings, in the same order",
}
# What `cost` needs.
COST = ("parameters", "seconds", "train_flops", "provenance")


def read_histories(weights: Sequence[Path], histories: Sequence[Path]) -> list[dict]:
    """The histories, one for each of the weights, in the same order.

    Raises InputError if their numbers differ or a history cannot be read.
    """
    if len(weights) != len(histories):
        raise InputError(f"expected {len(weights)} histories, as weights, found {len(histories)}")
    found = []
    for path in histories:
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
            if not isinstance(found[-1], dict):
                raise ValueError(f"a {type(found[-1]).__name__}")
            if missing := [key for key in COST if key not in found[-1]]:
                raise ValueError(f"none of {', '.join(missing)}")
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path}: expected a history, found: {error}. Train again.") from None
    return found


def cost(histories: Sequence[dict], over: Callable[..., Any] = np.mean) -> dict:
    """What a row of the leaderboard says of these trainings: size, cost and where they ran.

    over: np.mean for models that each answer alone, such as one per seed; np.sum for an ensemble.
    """
    return {
        "parameters": int(over([history["parameters"] for history in histories])),
        "train_seconds": float(over([history["seconds"] for history in histories])),
        "train_flops": float(over([float(history["train_flops"]) for history in histories])),
        "provenance": histories[0]["provenance"],
    }
