"""The history.json of trainings, read again beside the weights that came out of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.read_json import read_json

# What every evaluation reads of the trainings, for pipeline.settings.arguments.
TRAININGS = {
    "weights*": "the trained weights, one file per seed",
    "histories*": "history.json of the trainings, in the same order",
}
# What `cost` needs.
COST = ("parameters", "seconds", "train_flops", "provenance")


def read_histories(weights: Sequence[Path], histories: Sequence[Path], *keys: str) -> list[dict]:
    """The histories, one for each of the weights, in the same order.

    Raises InputError if their numbers differ, or if a history cannot be read or lacks what `cost`
    needs or one of `keys`.
    """
    if len(weights) != len(histories):
        raise InputError(f"expected {len(weights)} histories, as weights, found {len(histories)}")
    return [read_json(path, [*COST, *keys], "Train again.") for path in histories]


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
