"""The trained members of one model of Part 1, and what they answer about the training images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlp.folds import split
from mlp.inputs import Inputs
from mlp.settings import FullRecipe
from mlp.views import Views, probabilities
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
        """The net, ready to predict. Raises InputError if the history is of other weights."""
        found, expected = file_sha256(self.weights), self.history.get("weights_sha256")
        if found != expected:
            raise InputError(
                f"{self.weights}: expected the sha256 {expected} of its history, found {found}: the"
                " file is damaged or of another training. Train again."
            )
        return model_from_state(read_npz(self.weights))


@dataclass(frozen=True)
class Members:
    """The nets of one recipe: those trained on all images, and those trained without a fold."""

    seeds: list[Member]
    folds: list[Member]

    @classmethod
    def read(cls, weights: Sequence[Path], histories: Sequence[Path]) -> "Members":
        """In the order given; folds by number.

        Raises InputError if no member saw the whole training part, if a part is there twice, or if
        the members are of several recipes.
        """
        found = [
            Member(*pair) for pair in zip(weights, read_histories(weights, histories), strict=True)
        ]
        parts = [member.history["part"] for member in found]
        seeds = [member for member in found if member.fold is None]
        if len(set(parts)) < len(parts) or not seeds:
            raise InputError(
                f"--weights: expected at least one seed and each part once, found {parts}"
            )
        if any(member.history["recipe"] != found[0].history["recipe"] for member in found):
            raise InputError(
                "--weights: expected members of one recipe, found several: train again"
            )
        folds = [member for member in found if member.fold is not None]
        return cls(seeds, sorted(folds, key=lambda member: member.fold))

    @property
    def all(self) -> list[Member]:
        """Seeds first."""
        return self.seeds + self.folds

    @property
    def recipe(self) -> FullRecipe:
        return FullRecipe.model_validate(self.seeds[0].history["recipe"])


@dataclass
class OutOfFold:
    """What the fold members answer about the training images that they have not seen.

    fold: (N,) int8, the fold that an image is in, -1 if no member was trained without that one.
    accuracy: by the name of the answer (mlp.views), one value per fold.
    answers: by name, (N, K) float32, 0 where fold is -1.
    """

    fold: np.ndarray
    accuracy: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, np.ndarray] = field(default_factory=dict)


def seed_accuracies(members: Members, x: Inputs, y: np.ndarray) -> list[float]:
    """Each seed's accuracy on the training part x, y (N,)."""
    return [evaluate(probabilities(member.net(), x), y)[1] for member in members.seeds]


def fold_ensemble_accuracy(members: Members, x: Inputs, y: np.ndarray) -> float | None:
    """That of the fold members' mean on the training part x, y (N,); None of fewer than two."""
    if len(members.folds) < 2:
        return None
    total = sum(probabilities(member.net(), x) for member in members.folds)  # (N, K)
    return evaluate(total, y)[1]


def score_out_of_fold(
    members: Members,
    x: Inputs,
    y: np.ndarray,
    *,
    classes: int,
    folds: int,
    fold_seed: int,
    views: Views,
) -> OutOfFold:
    """What each fold member answers about its own fold of the training part x, y (N,).

    Raises InputError if a member's history has another accuracy on it.
    """
    found = OutOfFold(np.full(len(y), -1, np.int8))
    for name in views.names:
        found.accuracy[name] = []
        found.answers[name] = np.zeros((len(y), classes), np.float32)
    for member in members.folds:
        _, held_out = split(y, member.fold, folds, fold_seed)
        found.fold[held_out] = member.fold
        for name, p in views.answers(member.net(), x.subset(held_out)).items():
            found.answers[name][held_out] = p
            found.accuracy[name].append(evaluate(p, y[held_out])[1])
        value, expected = found.accuracy["p"][-1], member.history["out_of_fold"]["accuracy"]
        if abs(value - expected) > 1e-3:
            raise InputError(
                f"{member.weights}: expected the accuracy {expected:.4f} of its history on the fold"
                f" it has not seen, found {value:.4f}: these are other folds or images. Evaluate"
                " with the folds and fold_seed of the training, or train again."
            )
    return found
