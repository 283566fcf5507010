"""Positions: the sinusoids by hand and as rotations; what is added."""

import math

import pytest
import torch

from torch_nn.positions import POSITIONS, RotaryEmbedding, sinusoidal_table


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
    later = fixed(torch.zeros(1, 2, 4), start=3)[0]
    assert torch.equal(later, sinusoidal_table(5, 4)[3:])
    assert not list(fixed.parameters()) and not fixed.state_dict()
    for module in (fixed, learned):
        with pytest.raises(ValueError, match="6 tokens"):
            module(torch.zeros(1, 6, 4))
    with pytest.raises(ValueError, match="odd"):
        sinusoidal_table(3, 5)


def test_rotary_worked_example():
    """D = 4: channels 0 and 2 turn by the position, 1 and 3 by a hundredth of it."""
    turned = RotaryEmbedding(8, 4)(torch.tensor([[1.0, 0, 0, 1]]), start=3)[0]
    expected = [math.cos(3), -math.sin(0.03), math.sin(3), math.cos(0.03)]
    assert torch.allclose(turned, torch.tensor(expected))


def test_rotary_products_depend_on_the_distance_alone():
    torch.manual_seed(0)
    rotary = RotaryEmbedding(40, 8)
    q, k = (rotary(torch.randn(8).expand(40, 8)) for _ in range(2))
    products = q @ k.T
    for distance in (-5, 0, 1, 7):
        diagonal = products.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4)
    assert not torch.allclose(products[0], products[0, :1], atol=0.1)


def test_rotary_knows_so_many_positions_and_wants_pairs():
    rotary = RotaryEmbedding(5, 4)
    assert not rotary.state_dict()
    with pytest.raises(ValueError, match="6 tokens"):
        rotary(torch.zeros(1, 1, 2, 4), start=4)
    with pytest.raises(ValueError, match="odd"):
        RotaryEmbedding(5, 3)
