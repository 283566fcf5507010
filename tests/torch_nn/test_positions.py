"""Positions: the sinusoids by hand and as rotations; what is added."""

import math

import pytest
import torch

from torch_nn.positions import POSITIONS, sinusoidal_table


def test_sinusoid_worked_example():
    """Section 3.5 by hand, C = 4: frequencies 1 and 1/100."""
    row = sinusoidal_table(4, 4)[3]
    expected = [math.sin(3), math.cos(3), math.sin(0.03), math.cos(0.03)]
    assert torch.allclose(row, torch.tensor(expected))
    assert sinusoidal_table(1, 6).tolist() == [[0, 1, 0, 1, 0, 1]]


def test_a_shift_of_the_sinusoids_is_a_rotation():
    """PE(pos + k) is a linear function of PE(pos): products depend on the distance alone."""
    products = sinusoidal_table(40, 16) @ sinusoidal_table(40, 16).T
    for distance in (0, 1, 7):
        diagonal = products.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4)


def test_positions_add_the_first_rows_of_their_table_and_refuse_more():
    fixed, learned = POSITIONS["sinusoidal"](5, 4), POSITIONS["learned"](5, 4)
    assert torch.equal(fixed(torch.zeros(1, 3, 4))[0], sinusoidal_table(3, 4))
    assert torch.equal(learned(torch.zeros(1, 3, 4))[0], learned.embedding.weight[:3])
    assert not list(fixed.parameters()) and not fixed.state_dict()
    for module in (fixed, learned):
        with pytest.raises(ValueError, match="6 tokens"):
            module(torch.zeros(1, 6, 4))
    with pytest.raises(ValueError, match="odd"):
        sinusoidal_table(3, 5)
