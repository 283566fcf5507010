"""A training step of Part 1 works in memory that it has already."""

import tracemalloc

import numpy as np
import pytest

from numpy_nn.averaging import WeightAverage
from numpy_nn.dropout import Dropout
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.mlp import build_mlp
from numpy_nn.optimisers import SGD, Adam, AdamW
from numpy_nn.schedules import constant
from numpy_nn.training import Training

RNG = np.random.default_rng
KIB = 1024
# The smallest hidden activation, 128 x 256 float32, has 128 KiB: none may be made anew.
ALLOWED = 64 * KIB
# Random bits of a block of a dropout mask, 16 an element, and of the next before the first is gone:
# the generator gives no way to reuse them.
WORDS = 2 * Dropout.BLOCK * 2


def peak_of(call) -> int:
    """The most memory in bytes that `call` holds above what is there before it."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dropout, allowed", [(0.0, ALLOWED), (0.2, ALLOWED + WORDS)])
@pytest.mark.parametrize("optimiser", [SGD, AdamW])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_step_makes_no_array_of_a_batch_or_of_the_weights(
    dropout, allowed, optimiser, norm, activation
):
    x = RNG(0).standard_normal((256, 784)).astype(np.float32)
    y = RNG(0).integers(0, 10, len(x))
    model = build_mlp(
        (784, 512, 256, 10), dropout, RNG(1), RNG(2), norm=norm, activation=activation
    )
    training = Training(
        model,
        SoftmaxCrossEntropy(0.1),
        optimiser(model.parameters(), 0.01, weight_decay=1e-4),
        constant,
        x,
        y,
        batch_size=128,
        epochs=1,
        rng=RNG(3),
    )
    first, second = np.arange(128), np.arange(128, 256)
    training._step(first)  # Its buffers are made by the first step.
    assert peak_of(lambda: training._step(second)) < allowed


@pytest.mark.parametrize(
    "make", [lambda p: AdamW(p, 0.1, weight_decay=0.1), lambda p: Adam(p, 0.1, weight_decay=0.1)]
)
def test_decay_and_the_average_make_no_array_of_the_weights(make):
    model = build_mlp((784, 512, 256, 10), 0.0, RNG(1), RNG(2))
    optimiser = make(model.parameters())
    average = WeightAverage(model, optimiser.flat, 0.9)
    for call in (optimiser.step, average.update):
        call()
        assert peak_of(call) < ALLOWED


def test_a_smaller_batch_uses_the_memory_of_the_largest():
    model = build_mlp((784, 512, 256, 10), 0.0, RNG(1), RNG(2), norm="batch")
    x = RNG(0).standard_normal((256, 784)).astype(np.float32)

    def both_ways(count):
        y = model(x[:count])
        model.backward(np.ones_like(y))
        return y

    both_ways(256)
    for count in (128, 99, 256):
        assert peak_of(lambda count=count: both_ways(count)) < ALLOWED


def test_the_measure_sees_one_array_of_a_batch():
    assert peak_of(lambda: np.empty((128, 256), np.float32)) > ALLOWED
