"""What a net of Part 1 is asked at test time: the views, their mean, their names."""

from itertools import product

import numpy as np
import pytest

from mlp.feature_file import Features
from mlp.inputs import Inputs
from mlp.recipe import Recipe
from mlp.views import Views, moved
from numpy_nn.mlp import build_mlp
from numpy_nn.prediction import predict
from reporting.model_names import views as views_told
from reporting.model_names import without_views

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 2, 5, 4), np.uint8)


@pytest.fixture
def net():
    rng = np.random.default_rng(1)
    return build_mlp([40, 8, 3], 0.2, rng, rng)


def test_a_moved_image_is_the_one_that_training_draws():
    part = Inputs(IMAGES).subset(np.array([4, 0])).mirrored()
    by_hand = np.zeros((2, 2, 5, 4), np.uint8)
    by_hand[:, :, 1:, :2] = IMAGES[[4, 0], :, :-1, 2:]
    assert np.array_equal(moved(part, 1, -2)[:], by_hand[..., ::-1].reshape(2, -1))
    assert np.array_equal(moved(part, 0, 0)[:], part[:])


@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_the_answer_is_the_mean_over_all_views(net, mirrors, shift):
    x = Inputs(IMAGES, rows=np.array([6, 1, 1, 3]))
    views = Views(mirrors, shift)
    found = views.answers(net, x)
    assert list(found) == list(views.readings)
    steps = range(-shift, shift + 1)
    each = [
        predict(net, view)
        for down, right in product(steps, repeat=2)
        for view in (moved(x, down, right), moved(x, down, right).mirrored())[: 1 + mirrors]
    ]
    assert len(each) == (2 * shift + 1) ** 2 * (1 + mirrors)
    last = list(found.values())[-1]
    np.testing.assert_allclose(last, np.mean(each, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(found["p"], predict(net, x))
    if mirrors:
        turned = views.answers(net, x.mirrored())
        np.testing.assert_allclose(list(turned.values())[-1], last, rtol=1e-5)
        assert not np.allclose(turned["p"], found["p"])


@pytest.mark.parametrize(
    ("recipe", "asked", "wanted"),
    [
        ({"flips": True, "shift": 1}, (True, True), ["", " + flips", " + flips and shifts"]),
        ({"flips": True, "shift": 1}, (True, False), ["", " + flips"]),
        ({"flips": True, "shift": 1}, (False, True), ["", " + shifts"]),
        ({"shift": 2}, (True, True), ["", " + shifts"]),
        ({"flips": True}, (True, True), ["", " + flips"]),
        ({"flips": True, "shift": 1, "inputs": "pixels+hog"}, (True, True), ["", " + flips"]),
    ],
)
def test_a_net_is_asked_about_no_view_that_its_training_had_not(recipe, asked, wanted):
    recipe = Recipe(**recipe)
    found = list(Views.of(recipe, mirrors=asked[0], shifts=asked[1]).readings.values())
    assert found == wanted
    for suffix in found:
        name = f"MLP 3724-1024-10 on pixels + HOG{suffix}"
        assert views_told(name) == suffix.removeprefix(" + ")
        assert without_views(name) == "MLP 3724-1024-10 on pixels + HOG"


def test_features_cannot_be_moved():
    values = np.zeros((1, 7, 3), np.uint8)
    features = Features(values, ((0, 0, False),), ((1, 1, 3),), np.arange(3))
    with pytest.raises(ValueError, match="expected inputs of pixels alone"):
        moved(Inputs(IMAGES, features), 1, 0)
