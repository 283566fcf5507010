"""The stratified folds that the grid, the halving search and the fold models of Part 1 share."""

import numpy as np

from pipeline.errors import InputError
from pipeline.seeds import generator


def split(
    y: np.ndarray, fold: int, folds: int, fold_seed: int, examples: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training folds and of the held-out fold, each in ascending order.

    y (N,) labels. The examples of each class are dealt out in random order, one per fold in turn,
    so that neither a class nor a whole fold is larger than another by more than one. The folds
    depend on y, folds, fold_seed and examples alone: all candidates meet the same ones. examples: a
    sample of so many, with the classes' shares, is split instead; None: all.
    Raises InputError for a fold that does not exist, or where the rarest class has fewer examples
    than there are folds.
    """
    if fold >= folds:
        raise InputError(f"fold: expected 0 to {folds - 1}, found {fold}")
    rng = generator(fold_seed, "folds")
    classes = [rng.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    if examples is not None and examples < len(y):
        # The first so many by their place in their class, as a share of it.
        shares = np.concatenate([(np.arange(len(c)) + 0.5) / len(c) for c in classes])
        chosen = np.zeros(len(shares), bool)
        chosen[np.argsort(shares, kind="stable")[:examples]] = True
        ends = np.cumsum([len(c) for c in classes])[:-1]
        classes = [c[kept] for c, kept in zip(classes, np.split(chosen, ends), strict=True)]
    if (rarest := min(map(len, classes))) < folds:
        raise InputError(f"folds: expected at most {rarest}, the rarest class, found {folds}")
    dealt = np.concatenate(classes)
    held_out = np.arange(len(dealt)) % folds == fold
    return np.sort(dealt[~held_out]), np.sort(dealt[held_out])
