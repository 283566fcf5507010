"""What a net of Part 1 answers about at test time: the views, their mean, their names."""

from itertools import product

import numpy as np
import pytest

from mlp.feature_file import Features
from mlp.inputs import Inputs
from mlp.settings import Recipe
from mlp.views import Views
from numpy_nn.mlp import build_mlp
from numpy_nn.prediction import predict

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 2, 5, 4), np.uint8)


@pytest.fixture
def net():
    rng = np.random.default_rng(1)
    return build_mlp([40, 8, 3], 0.2, rng, rng)


def test_a_shifted_image_is_the_one_that_training_draws():
    part = Inputs(IMAGES).subset(np.array([4, 0])).flip()
    by_hand = np.zeros((2, 2, 5, 4), np.uint8)
    by_hand[:, :, 1:, :2] = IMAGES[[4, 0], :, :-1, 2:]
    assert np.array_equal(part.shift(1, -2)[:], by_hand[..., ::-1].reshape(2, -1))
    assert np.array_equal(part.shift(0, 0)[:], part[:])


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("largest", [0, 1, 2])
def test_the_answer_is_the_mean_over_all_views(net, flips, largest):
    x = Inputs(IMAGES, rows=np.array([6, 1, 1, 3]))
    views = Views(flips, largest)
    found = views.answers(net, x)
    assert list(found) == list(views.names)
    steps = range(-largest, largest + 1)
    each = [
        predict(net, view)
        for down, right in product(steps, repeat=2)
        for view in (x.shift(down, right), x.shift(down, right).flip())[: 1 + flips]
    ]
    assert len(each) == (2 * largest + 1) ** 2 * (1 + flips)
    last = list(found.values())[-1]
    np.testing.assert_allclose(last, np.mean(each, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(found["p"], predict(net, x))
    if flips:
        flipped = views.answers(net, x.flip())
        np.testing.assert_allclose(list(flipped.values())[-1], last, rtol=1e-5)
        assert not np.allclose(flipped["p"], found["p"])


@pytest.mark.parametrize(
    ("recipe", "asked", "wanted"),
    [
        ({"flips": True, "shift": 1}, (True, True), ["none", "flips", "flips and shifts"]),
        ({"flips": True, "shift": 1}, (True, False), ["none", "flips"]),
        ({"flips": True, "shift": 1}, (False, True), ["none", "shifts"]),
        ({"shift": 2}, (True, True), ["none", "shifts"]),
        ({"flips": True}, (True, True), ["none", "flips"]),
        ({"flips": True, "shift": 1, "inputs": "pixels+hog"}, (True, True), ["none", "flips"]),
    ],
)
def test_a_net_is_tested_on_no_view_that_its_training_did_not_have(recipe, asked, wanted):
    views = Views.of(Recipe(**recipe), flips=asked[0], shifts=asked[1])
    assert list(views.names.values()) == wanted


def test_features_cannot_be_shifted():
    values = np.zeros((1, 7, 3), np.uint8)
    features = Features(values, ((0, 0, False),), ((1, 1, 3),), np.arange(3))
    with pytest.raises(ValueError, match="expected inputs of pixels alone"):
        Inputs(IMAGES, features).shift(1, 0)
