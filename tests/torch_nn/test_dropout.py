"""Dropout from 16 bits an element: share, scale, gradient, repeatability."""

import pytest
import torch

from torch_nn.dropout import Dropout


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5, 0.9])
def test_share_and_mean(p):
    torch.manual_seed(0)
    found = Dropout(p)(torch.ones(1000, 999))
    assert (found == 0).float().mean().item() == pytest.approx(p, abs=0.002)
    assert found.mean().item() == pytest.approx(1, abs=0.01)
    assert found.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-4)


def test_elements_are_independent_of_their_neighbours():
    """Four elements share one 64-bit number: none of them tells of another."""
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(4 * 200_000)) > 0).double().view(-1, 4)
    together = torch.corrcoef(kept.T) - torch.eye(4, dtype=torch.float64)
    assert together.abs().max() < 0.01
    assert (kept.mean(0) - 0.5).abs().max() < 0.005


def test_the_gradient_has_the_same_mask_and_eval_is_the_identity():
    x, dropout = torch.randn(7, 5, requires_grad=True), Dropout(0.4)
    y = dropout(x)
    y.sum().backward()
    assert torch.equal(x.grad == 0, y == 0)
    assert dropout.eval()(x) is x and Dropout(0.0)(x) is x
    torch.manual_seed(1)
    first = dropout.train()(x)
    torch.manual_seed(1)
    assert torch.equal(first, dropout(x)) and dropout(x.bfloat16()).dtype is torch.bfloat16


def test_p_just_below_1_keeps_a_65536th():
    torch.manual_seed(0)
    y = Dropout(1 - 2**-20)(torch.ones(2**20))
    assert torch.isfinite(y).all() and 0 < (y > 0).sum() < 64
    assert y.max().item() == 2**16


def test_p_must_leave_something():
    with pytest.raises(ValueError, match="p < 1"):
        Dropout(1.0)
