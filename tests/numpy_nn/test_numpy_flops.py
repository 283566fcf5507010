"""The FLOPs of a forward pass against numbers worked out on paper."""

import numpy as np

from numpy_nn import BatchNorm, Dropout, Linear, Sequential, build_mlp, build_token_mixer
from numpy_nn import forward_flops as flops

RNG = np.random.default_rng


def test_an_mlp_takes_two_flops_per_weight_and_example():
    """2 (784 x 512 + 512 x 256 + 256 x 10) = 2 (401,408 + 131,072 + 2,560) = 1,070,080."""
    model = build_mlp([784, 512, 256, 10], 0.2, RNG(1), RNG(2), norm="batch")
    assert flops(model, np.zeros((1, 1, 28, 28), np.uint8)) == 1_070_080
    assert flops(model, np.zeros((7, 784), np.float32)) == 7 * 1_070_080


def test_a_mixer_multiplies_once_per_token_or_channel():
    """4 tokens of 3 features, 5 channels; a level of 2 x 2 windows leaves 1 token of 6.

    Embedding 2 x 4 x 3 x 5 = 120; level 2 x 1 x (4 x 5) x 6 = 240; over tokens 2 x 6 x (1 x 7 +
    7 x 1) = 168; over channels 2 x 1 x (6 x 8 + 8 x 6) = 192; hidden 2 x 6 x 9 = 108; classes
    2 x 9 x 2 = 36.
    """
    levels = [{"window": 2, "stride": 2, "channels": 6}]
    model = build_token_mixer(
        np.arange(12).reshape(4, 3), 12, 5, 1, 7, 8, [9], 2, RNG(1), RNG(2), levels=levels
    )
    assert flops(model, np.zeros((3, 12), np.float32)) == 3 * (120 + 240 + 168 + 192 + 108 + 36)


def test_counting_leaves_modes_generators_and_averages_as_they_were():
    generator = RNG(2)
    model = Sequential(BatchNorm(3), Dropout(0.5, generator), Linear(3, 2, RNG(1)))
    model.layers[1].eval()
    before, state = model.state_dict(), generator.bit_generator.state
    assert flops(model, np.ones((4, 3), np.float32)) == 2 * 4 * 3 * 2
    assert [layer.training for layer in model.layers] == [True, False, True]
    assert generator.bit_generator.state == state
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
