"""Successive halving: many candidates for a few epochs, the best of them for more, and again.

Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization,
AISTATS 2016, algorithm 1; but the number of survivors and their epochs are free in each rung, and
a survivor starts again from fresh weights, since its learning rate follows the length of the run.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import InputError


def entrant(path: Path, dataset: str, rung: int, place: int) -> dict:
    """The candidate at `place` (from 0) of the ranking of the rung before `rung`, or, for rung 0,
    of candidates.json: {"candidate", "settings", ...}.

    Raises InputError if the file is of another data set or rung, or has no such place.
    """
    try:
        ranking = json.loads(path.read_text(encoding="utf-8"))
        candidates, found = ranking["candidates"], (ranking["dataset"], ranking.get("rung"))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected a ranking, found: {error!r}. Rank again.") from None
    expected = (dataset, rung - 1 if rung else None)
    if found != expected:
        raise InputError(
            f"{path}: expected data set and rung {expected}, found {found}: rank again"
        )
    if place >= len(candidates):
        raise InputError(f"{path}: expected a place {place}, found {len(candidates)} candidates")
    return candidates[place]


def causes(candidate: Mapping) -> dict:
    """What a result takes from its candidate: name, settings and, if it diverged, how."""
    names = ["candidate", "settings", "diverged"]
    names += ["message", "parameters"] if candidate.get("diverged") else []
    return {name: candidate.get(name) for name in names}


def check_rung(
    scores: Sequence[Mapping],
    dataset: str,
    rung: int,
    epochs: int,
    entrants: Sequence[Mapping],
    keys: Sequence[str] | None = None,
) -> None:
    """Raise InputError unless the scores are those of this rung, each place once.

    entrants: the candidate at each place, by the ranking before; keys: that of each place's result
    (mlp.kept), or None where they are not known.
    """
    for score in scores:
        found = {key: score.get(key) for key in ("dataset", "rung", "epochs")}
        expected = {"dataset": dataset, "rung": rung, "epochs": epochs}
        if found != expected:
            raise InputError(f"--scores: expected {expected}, found {found}: train the rung again")
    places = sorted(score["place"] for score in scores)
    if places != list(range(len(scores))):
        raise InputError(f"--scores: expected places 0 to {len(scores) - 1}, found {places}")
    names = [score["candidate"] for score in scores]
    if len(set(names)) < len(names):
        raise InputError(f"--scores: expected each candidate once, found {sorted(names)}")
    for score in scores:
        place, entered = score["place"], entrants[score["place"]]
        planned, found = (
            {name: result.get(name) for name in ("candidate", "settings")}
            for result in (entered, score)
        )
        if found != planned:
            raise InputError(
                f"--scores: place {place}: expected {planned}, as in the ranking before, found"
                f" {found}: train it again"
            )
        if keys and score.get("key") != keys[place]:
            raise InputError(
                f"--scores: place {place} ({score['candidate']}): expected the key {keys[place]},"
                f" found {score.get('key')}: it is of other settings, code or data. Delete it,"
                " and it is trained again"
            )


def rank(scores: Sequence[Mapping]) -> list[Mapping]:
    """Best first: by accuracy; equal ones by lower loss, fewer parameters, place before.

    Those that diverged are last. Raises InputError if all did.
    """
    if all(score["diverged"] for score in scores):
        raise InputError(
            f"expected a candidate that trains, found {len(scores)} that diverged"
            f" ({scores[0]['message']}): choose lower learning rates for the search"
        )

    def order(score: Mapping) -> tuple:
        if score["diverged"]:
            return (True, score["place"])
        return (False, -score["accuracy"], score["loss"], score["parameters"], score["place"])

    return sorted(scores, key=order)
