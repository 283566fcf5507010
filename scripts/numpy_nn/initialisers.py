"""How large the first weights are: such that signals neither fade nor explode with depth."""

import math

import numpy as np


def he_normal(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """Weights (fan_in, fan_out), float32, from N(0, 2 / fan_in): for layers before a ReLU.

    A ReLU zeroes half of its inputs, hence the 2. He, Zhang, Ren and Sun, Delving Deep into
    Rectifiers, ICCV 2015, equation 10.
    """
    scale = np.float32(math.sqrt(2 / fan_in))
    return rng.standard_normal((fan_in, fan_out), np.float32) * scale


def xavier_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """Weights (fan_in, fan_out), float32, uniform in +-sqrt(6 / (fan_in + fan_out)).

    For tanh, sigmoid and a linear output. Glorot and Bengio, Understanding the difficulty of
    training deep feedforward neural networks, AISTATS 2010, equation 16.
    """
    bound = np.float32(math.sqrt(6 / (fan_in + fan_out)))
    return (2 * rng.random((fan_in, fan_out), np.float32) - 1) * bound
