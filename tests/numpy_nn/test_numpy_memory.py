"""What a training step of Part 1 allocates: activations, which go again, and nothing of weights."""

import tracemalloc

import numpy as np
import pytest

from numpy_nn import (
    SGD,
    Adam,
    AdamW,
    SoftmaxCrossEntropy,
    Training,
    WeightAverage,
    build_mlp,
    constant,
)

RNG = np.random.default_rng
WIDTHS = (784, 512, 256, 10)
KIB = 1024
BATCH = 64
WIDEST = BATCH * WIDTHS[1] * 4  # bytes of the largest activation, float32
WEIGHTS = WIDTHS[0] * WIDTHS[1] * 4  # bytes of the largest weight matrix


def traced(call) -> tuple[int, int]:
    """Bytes that `call` holds at most above what is there before it, and that it leaves there."""
    tracemalloc.start()
    try:
        call()  # what it replaces must have been traced, too
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call()
        after, peak = tracemalloc.get_traced_memory()
        return peak - before, after - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("optimiser", [SGD, AdamW])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_step_makes_a_few_activations_and_leaves_nothing(optimiser, norm, activation):
    x = RNG(0).standard_normal((2 * BATCH, 784)).astype(np.float32)
    y = RNG(0).integers(0, 10, len(x))
    model = build_mlp(WIDTHS, 0.2, RNG(1), RNG(2), norm=norm, activation=activation)
    training = Training(
        model,
        SoftmaxCrossEntropy(0.1),
        optimiser(model.parameters(), 0.01, weight_decay=1e-4),
        constant,
        x,
        y,
        batch_size=BATCH,
        epochs=1,
        rng=RNG(3),
        ema_decay=0.9,
    )
    index = np.arange(BATCH)
    training._step(index)
    peak, left = traced(lambda: training._step(index))
    assert peak < 7 * WIDEST < WEIGHTS
    assert left < 4 * KIB


@pytest.mark.parametrize("kind", [SGD, AdamW, Adam])
def test_an_update_of_the_weights_allocates_nothing_of_their_size(kind):
    model = build_mlp(WIDTHS, 0.0, RNG(1), RNG(2))
    optimiser = kind(model.parameters(), 0.1, weight_decay=0.1)
    average = WeightAverage(model, optimiser.flat, 0.9)
    for call in (optimiser.step, average.update):
        assert traced(call)[0] < 4 * KIB


def test_the_measure_sees_an_array_of_the_weights():
    assert traced(lambda: np.empty(WIDTHS[:2], np.float32))[0] >= WEIGHTS
