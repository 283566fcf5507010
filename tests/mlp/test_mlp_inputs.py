"""The inputs of Part 1: pixels, features, both; subsets, flips, random views, moments."""

import numpy as np
import pytest

from mlp.feature_file import Features, shifted
from mlp.inputs import Augmented, Inputs, load_inputs
from numpy_nn.linear import Linear
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.module import Sequential
from numpy_nn.optimisers import SGD
from numpy_nn.prediction import predict
from numpy_nn.schedules import SCHEDULES
from numpy_nn.standardise import Standardise
from numpy_nn.training import Training
from pipeline.errors import InputError

N, H, W, D = 50, 6, 7, 5
VIEWS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(1, 256, (N, 1, H, W), dtype=np.uint8)


def features(stored_flips: bool) -> Features:
    """Row (v, n): [v, n, 0 or 1 if flipped, 7, 7]; flipping exchanges features 2 and 3."""
    values = np.zeros((len(VIEWS), N, D), np.uint8)
    values[:, :, 0] = np.arange(len(VIEWS))[:, None]
    values[:, :, 1] = np.arange(N)
    values[:, :, 3] = 1
    views = tuple((*shift, False) for shift in VIEWS)
    flip = np.array([0, 1, 3, 2, 4])
    if not stored_flips:
        return Features(values, views, ((1, 2, 1), (1, 1, 3)), flip)
    both = np.stack([values, values[:, :, flip]], axis=1).reshape(-1, N, D)
    views = tuple((*shift, flipped) for shift in VIEWS for flipped in (False, True))
    return Features(both, views, ((1, 2, 1), (1, 1, 3)), None)


KINDS = {
    "pixels": lambda: Inputs(IMAGES),
    "hog": lambda: Inputs(None, features(False)),
    "hog, stored flips": lambda: Inputs(None, features(True)),
    "pixels+hog": lambda: Inputs(IMAGES, features(False)),
    "pixels+hog, stored flips": lambda: Inputs(IMAGES, features(True)),
}


@pytest.fixture(params=KINDS)
def inputs(request) -> Inputs:
    return KINDS[request.param]()


def view(inputs: Inputs, row: int, down: int, right: int, flipped: bool) -> np.ndarray:
    """The row of one view, computed for itself."""
    parts = []
    if inputs.images is not None:
        picture = shifted(inputs.images[row], down, right)
        parts.append((picture[..., ::-1] if flipped else picture).reshape(-1))
    if inputs.features is not None:
        marks = [1, 0] if flipped else [0, 1]
        parts.append(np.array([VIEWS.index((down, right)), row, *marks, 0], np.uint8))
    return np.concatenate(parts)


def test_plain_rows(inputs):
    assert len(inputs) == N and inputs.shape == inputs[:].shape and inputs[:].dtype == np.uint8
    wanted = np.array([view(inputs, row, 0, 0, False) for row in range(N)])
    assert np.array_equal(inputs[:], wanted)
    assert np.array_equal(inputs[3:9], wanted[3:9])
    assert np.array_equal(inputs[wanted[:, 0] > 100], wanted[wanted[:, 0] > 100])
    index = np.array([4, 4, 49, 0])
    assert np.array_equal(inputs[index], wanted[index])
    out = np.empty((4, inputs.shape[1]), np.uint8)
    assert np.take(inputs, index, axis=0, out=out, mode="clip") is out
    assert np.array_equal(out, wanted[index])
    with pytest.raises(IndexError):
        inputs[np.array([N])]


def test_flipped_twice_is_the_same(inputs):
    wanted = np.array([view(inputs, row, 0, 0, True) for row in range(N)])
    assert np.array_equal(inputs.flip()[:], wanted)
    assert np.array_equal(inputs.flip().flip()[:], inputs[:])


def test_a_subset_of_a_subset(inputs):
    part = inputs.subset(np.arange(10, 40)).flip().subset(np.array([5, 0, 29]))
    assert len(part) == 3
    assert np.array_equal(part[:], inputs.flip()[np.array([15, 10, 39])])
    assert np.array_equal(Augmented(part, np.random.default_rng(0), False, 0)[:], part[:])


def test_augmenting_by_nothing_changes_nothing(inputs):
    same = Augmented(inputs, np.random.default_rng(0), flips=False, shift=0)
    assert np.array_equal(same[:], inputs[:]) and len(same) == N and same.shape == inputs.shape


def test_random_views_are_views_of_their_own_images_pixels_and_features_alike(inputs):
    shifts = VIEWS
    if inputs.features is None:
        shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    augmented = Augmented(inputs, np.random.default_rng(1), flips=True, shift=1)
    index = np.arange(N)
    seen = set()
    for _ in range(30):
        for row, found in zip(index, augmented[index], strict=True):
            fitting = [
                (shift, flipped)
                for shift in shifts
                for flipped in (False, True)
                if np.array_equal(found, view(inputs, row, *shift, flipped))
            ]
            assert len(fitting) == 1
            seen.update(fitting)
    assert len(seen) == 2 * len(shifts), "not every view occurs"


def test_flips_and_shifts_are_drawn_evenly():
    inputs = Inputs(IMAGES, features(False))
    drawn = np.concatenate(
        [Augmented(inputs, np.random.default_rng(seed), True, 1)[:] for seed in range(40)]
    )
    flipped = drawn[:, H * W + 2].mean()
    shares = np.bincount(drawn[:, H * W]) / len(drawn)
    assert abs(flipped - 0.5) < 0.05 and np.all(abs(shares - 0.2) < 0.04)
    only = Augmented(inputs, np.random.default_rng(0), True, 0)[:]
    assert not only[:, H * W].any() and 0 < only[:, H * W + 2].mean() < 1


def test_the_generators_state_goes_on_exactly(inputs):
    rng = np.random.default_rng(5)
    augmented = Augmented(inputs, rng, True, 1)
    augmented[:]
    state = rng.bit_generator.state
    wanted = [augmented[np.arange(20)], augmented[:]]
    other = np.random.default_rng(99)
    again = Augmented(inputs, other, True, 1)
    other.bit_generator.state = state
    out = np.empty((20, inputs.shape[1]), np.uint8)
    assert np.array_equal(np.take(again, np.arange(20), axis=0, out=out), wanted[0])
    assert np.array_equal(again[:], wanted[1])
    assert not np.array_equal(again[:], wanted[1])


def test_colour_keeps_its_planes():
    colour = RANDOM.integers(1, 256, (4, 3, H, W), dtype=np.uint8)
    inputs = Inputs(colour)
    assert np.array_equal(inputs[:], colour.reshape(4, -1))
    found = Augmented(inputs, np.random.default_rng(0), False, 2)[:].reshape(4, 3, H, W)
    for image, moved in zip(colour, found, strict=True):
        assert any(
            np.array_equal(shifted(image, down, right), moved)
            for down in range(-2, 3)
            for right in range(-2, 3)
        )


def test_a_shift_without_features_is_refused():
    with pytest.raises(InputError, match="expected at most 1 pixels.* found 2"):
        Augmented(Inputs(IMAGES, features(False)), np.random.default_rng(0), True, 2)


def test_moments_are_those_of_all_rows_softened_part_by_part():
    inputs = Inputs(IMAGES, features(False)).subset(np.arange(0, N, 2))
    rows = inputs[:].astype(np.float64)
    mean, deviation = inputs.moments(rows=7)
    assert mean.dtype == np.float32 and np.allclose(mean, rows.mean(axis=0), rtol=1e-6)
    wanted = rows.std(axis=0)
    for part in (slice(H * W), slice(H * W, H * W + 2), slice(H * W + 2, None)):
        wanted[part] += 0.15 * np.median(wanted[part])
    wanted[wanted == 0] = 1
    assert np.allclose(deviation, wanted, rtol=1e-6) and deviation[-1] == 1


def test_prediction_reads_inputs_as_it_reads_an_array():
    inputs = Inputs(IMAGES, features(False))
    net = training_on(inputs, 1).model
    assert np.array_equal(predict(net, inputs, 16), predict(net, inputs[:], 16))


def training_on(inputs: Inputs, epochs: int) -> Training:
    rng = np.random.default_rng(3)
    standardise = Standardise(features=inputs.shape[1])
    standardise.moments[:] = inputs.moments()
    first = Linear(inputs.shape[1], 3, np.random.default_rng(0), input_grad=False)
    model = Sequential(standardise, first)
    return Training(
        model,
        SoftmaxCrossEntropy(),
        SGD(model.parameters(), 0.1),
        SCHEDULES["constant"],
        Augmented(inputs, rng, flips=True, shift=1),
        np.arange(len(inputs)) % 3,
        batch_size=16,
        epochs=epochs,
        rng=np.random.default_rng(4),
        generators=[rng],
    )


def test_a_training_on_random_views_goes_on_exactly():
    inputs = Inputs(IMAGES, features(False))
    whole, first = training_on(inputs, 3), training_on(inputs, 3)
    wanted = [whole.run_epoch() for _ in range(3)]
    first.run_epoch()
    arrays, meta = first.state()
    second = training_on(inputs, 3)
    second.load_state({name: array.copy() for name, array in arrays.items()}, meta)
    assert [second.run_epoch() for _ in range(2)] == wanted[1:]
    for name, array in whole.model.state_dict().items():
        assert np.array_equal(array, second.model.state_dict()[name]), name


def test_load_inputs(tmp_path):
    np.savez(tmp_path / "images.npz", train_x=IMAGES[:, 0], train_y=np.arange(N) % 3)
    inputs, labels = load_inputs("pixels", tmp_path / "images.npz", None, "train", 3)
    assert np.array_equal(inputs[:], IMAGES.reshape(N, -1)) and labels.shape == (N,)
    with pytest.raises(InputError, match="expected the folder of the features"):
        load_inputs("hog", tmp_path / "images.npz", None, "train", 3)
    with pytest.raises(InputError, match=r"meta.json.*delete"):
        load_inputs("hog", tmp_path / "images.npz", tmp_path, "train", 3)
