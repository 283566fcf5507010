"""From a recipe to a training: streams of their own, early stopping and where it applies."""

import numpy as np

from rooms.mlp_inputs import Inputs
from rooms.mlp_recipe import Recipe
from rooms.mlp_training import build_training


def examples(count=60):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, 4, 4), np.uint8)
    return Inputs(images), (images[:, 0, 0, 0] > 127).astype(np.int64)


def build(validation=None, seed=1, part=None, **changes):
    recipe = Recipe(hidden=[8], batch_size=16).changed(changes)
    parts = recipe, *examples(), validation
    return build_training(*parts, classes=2, seed=seed, part=part)


def draws(training):
    """The first numbers of each stream, and the weights."""
    streams = [rng.random(4).tolist() for rng in (*training.generators, training.augment_rng)]
    return [*streams, training.model.layers[1].weight.value[0, :4].tolist()]


def test_a_fold_draws_from_other_streams_than_the_seed_of_its_number():
    seed, again, fold = (draws(build(part=part)) for part in (None, None, "fold"))
    assert seed == again
    assert all(one != other for one, other in zip(seed, fold, strict=True))
