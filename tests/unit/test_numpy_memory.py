"""A training step of Part 1 works in memory that it has already."""

import tracemalloc

import numpy as np
import pytest

from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.mlp import build_mlp
from numpy_nn.optimisers import SGD, AdamW
from numpy_nn.schedules import constant
from numpy_nn.training import Training

RNG = np.random.default_rng
KIB = 1024
# The smallest hidden activation, 128 x 256 float32, has 128 KiB: none may be made anew.
ALLOWED = 64 * KIB
# Random bits of the widest dropout mask, 16 an element: the generator gives no way to reuse them.
WORDS = 128 * 512 * 2


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


def test_the_measure_sees_one_array_of_a_batch():
    assert peak_of(lambda: np.empty((128, 256), np.float32)) > ALLOWED
