"""From a recipe to a training: streams of their own, early stopping and where it applies."""

import json

import numpy as np
import pytest

from mlp.inputs import Inputs
from mlp.model import inputs_name, title
from mlp.settings import FullRecipe, Recipe
from mlp.training import build_training, changed, scored_epoch, train_flops
from numpy_nn.prediction import evaluate, predict
from pipeline.errors import InputError


def examples(count=60):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, 4, 4), np.uint8)
    return Inputs(images), (images[:, 0, 0, 0] > 127).astype(np.int64)


def build(validation=None, seed=1, part=None, **changes):
    recipe = changed(FullRecipe(hidden=[8], batch_size=16), changes)
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


def run(training):
    curve = []
    while not training.finished:
        curve.append(training.run_epoch())
    return curve


PATIENT = {"patience": 2, "lr": 0.5}


def test_patience_stops_on_a_held_out_fold_and_takes_the_best_epoch():
    training = build(examples(40), **PATIENT)
    training.epochs = 50
    curve = run(training)
    best = scored_epoch(training, curve)
    assert len(curve) == best["epoch"] + 2 < 50
    assert best["val_accuracy"] == max(entry["val_accuracy"] for entry in curve)
    x, y = examples(40)
    assert evaluate(predict(training.model, x), y)[1] == best["val_accuracy"]


def test_patience_goes_on_exactly_from_a_checkpoint():
    whole, stopped, resumed = (build(examples(40), **PATIENT) for _ in range(3))
    expected = run(whole)
    stopped.run_epoch()
    arrays, meta = stopped.state()
    resumed.load_state(arrays, json.loads(json.dumps(meta)))
    assert run(resumed) == expected[1:]
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(resumed.model.state_dict()[name], array)


def test_without_a_held_out_part_patience_stops_nothing():
    training = build(**PATIENT)
    curve = run(training)
    assert training.early_stopping is None and len(curve) == training.epochs == 8
    assert scored_epoch(training, curve) is curve[-1]
    plain = build(lr=0.5)
    assert run(plain) == curve


def test_the_training_compute_is_that_of_the_epochs_that_were_trained():
    """Worked out on paper: 16 -> 8 -> 2 is 2 (128 + 16) operations forward, thrice that in all."""
    training = build(examples(40), **PATIENT)
    training.epochs = 50
    curve = run(training)
    assert len(curve) < 50
    assert train_flops(training) == 3 * 2 * (16 * 8 + 8 * 2) * len(curve) * 60
    assert train_flops(build(flips=True)) == 0


def test_no_two_models_of_the_same_inputs_share_a_title():
    sizes = {"widths": [784, 8, 2], "tokens": 49, "channels": 8}
    names = [
        (title(recipe, model, sizes), inputs_name(recipe))
        for kind in ("mlp", "mixer")
        for inputs in ("pixels", "pixels+hog")
        for recipe in (Recipe(architecture=kind, inputs=inputs),)
        for model in ("plain", "searched", "mixer", "pyramid")
    ]
    assert len(set(names)) == len(names)
    assert {("MLP 784-8-2", "pixels"), ("MLP 784-8-2", "pixels + HOG")} < set(names)
    assert ("MLP 784-8-2, chosen by halving", "pixels") in names
    assert ("Mixer of 49 tokens x 8, 1 block, as pyramid", "pixels + HOG") in names


def test_levels_that_do_not_fit_are_refused_in_one_line():
    levels = [{"window": 3, "stride": 2, "channels": 4}, {"window": 2, "stride": 1, "channels": 4}]
    with pytest.raises(InputError, match="mixer: 4 tokens: .*window"):
        build(architecture="mixer", patch=2, levels=levels)
    with pytest.raises(InputError, match="patch: expected a divisor of 4 pixels, found 3"):
        build(architecture="mixer", patch=3)
