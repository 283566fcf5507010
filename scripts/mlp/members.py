"""The trained members of one model of Part 1, and what they say about the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlp.folds import split
from mlp.inputs import Inputs
from mlp.recipe import Recipe
from mlp.training import probabilities
from mlp.views import Views
from numpy_nn.module import Module
from numpy_nn.prediction import evaluate
from numpy_nn.stored_model import model_from_state
from pipeline.checkpoint import file_sha256
from pipeline.errors import InputError
from pipeline.history import read_histories
from pipeline.npz import read_npz


@dataclass(frozen=True)
class Member:
    """One trained net: its weights' file and its history. fold: the one it has not seen, if any."""

    weights: Path
    history: dict

    @property
    def fold(self) -> int | None:
        return self.history["fold"]

    def net(self) -> Module:
        """The net, ready to predict. Raises InputError if the history tells of other weights."""
        found, told = file_sha256(self.weights), self.history.get("weights_sha256")
        if found != told:
            raise InputError(
                f"{self.weights}: expected the sha256 {told} of its history, found {found}: the"
                " file is damaged or of another training. Train again."
            )
        return model_from_state(read_npz(self.weights))


def read_members(weights: Sequence[Path], histories: Sequence[Path]) -> list[Member]:
    """Seeds first, then folds in order.

    Raises InputError if no member saw the whole training part, if a part stands there twice, or if
    the members are of several recipes.
    """
    found = [
        Member(*pair) for pair in zip(weights, read_histories(weights, histories), strict=True)
    ]
    parts = [member.history["part"] for member in found]
    if len(set(parts)) < len(parts) or all(member.fold is not None for member in found):
        raise InputError(f"--models: expected at least one seed and each part once, found {parts}")
    if any(member.history["recipe"] != found[0].history["recipe"] for member in found):
        raise InputError("--models: expected members of one recipe, found several: train again")
    return sorted(found, key=lambda m: (m.fold is not None, m.fold or 0))


def recipe_of(members: Sequence[Member]) -> Recipe:
    """The recipe of all of them."""
    return Recipe.model_validate(members[0].history["recipe"])


@dataclass
class OutOfFold:
    """What the fold members say about the training images that they have not seen.

    fold: (N,) int8, the fold that an image is in, -1 if no member was trained without that one.
    accuracy: by reading (mlp.views), one value a fold.
    answers: by reading, (N, K) float32, 0 where fold is -1.
    """

    fold: np.ndarray
    accuracy: dict[str, list[float]]
    answers: dict[str, np.ndarray]


def score_training_part(
    members: Sequence[Member],
    x: Inputs,
    y: np.ndarray,
    *,
    classes: int,
    folds: int,
    fold_seed: int,
    views: Views,
) -> tuple[list[float], float | None, OutOfFold]:
    """(accuracy of each seed, accuracy of the fold members' mean or None, out of fold) on x, y.

    x: the training part, length N; y (N,) labels.
    """
    seeds = []
    total = np.zeros((len(y), classes), np.float32)
    out = OutOfFold(
        fold=np.full(len(y), -1, np.int8),
        accuracy={reading: [] for reading in views.readings},
        answers={reading: total.copy() for reading in views.readings},
    )
    for member in members:
        net = member.net()
        here, _ = probabilities(net, x, False)
        if member.fold is None:
            seeds.append(evaluate(here, y)[1])
            continue
        total += here
        _, held_out = split(y, member.fold, folds, fold_seed)
        value = evaluate(here[held_out], y[held_out])[1]
        if abs(value - (told := member.history["out_of_fold"]["accuracy"])) > 1e-3:
            raise InputError(
                f"{member.weights}: expected the accuracy {told:.4f} of its history on the fold it"
                f" has not seen, found {value:.4f}: these are other folds or images. Evaluate with"
                " the folds and fold_seed of the training, or train again."
            )
        out.fold[held_out] = member.fold
        for reading, p in views.answers(net, x.subset(held_out)).items():
            out.answers[reading][held_out] = p
            out.accuracy[reading].append(evaluate(p, y[held_out])[1])
    ensemble = evaluate(total, y)[1] if len(out.accuracy["p"]) > 1 else None
    return seeds, ensemble, out
