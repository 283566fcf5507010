"""RMSNorm against PyTorch's: values and gradients."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from torch_nn.norms import RMSNorm


@pytest.mark.parametrize("gain", [True, False])
def test_rms_norm_equals_torch(gain):
    torch.manual_seed(0)
    ours, theirs = RMSNorm(6, 1e-3, gain), nn.RMSNorm(6, 1e-3, elementwise_affine=gain)
    if gain:
        nn.init.normal_(ours.weight)
        theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 6).requires_grad_()
    again = x.detach().clone().requires_grad_()
    found, expected = ours(x), theirs(again)
    assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn(2, 3, 6)
    found.backward(direction)
    expected.backward(direction)
    assert_close(x.grad, again.grad, atol=1e-4, rtol=1e-4)
    assert len(list(ours.parameters())) == gain
    if gain:
        assert_close(ours.weight.grad, theirs.weight.grad, atol=1e-4, rtol=1e-4)


def test_a_worked_example():
    """The mean square of (3, 4, 0, 0) is 25 / 4: it is divided by 2.5."""
    assert_close(RMSNorm(4, 0.0)(torch.tensor([3.0, 4, 0, 0])), torch.tensor([1.2, 1.6, 0, 0]))


def test_the_statistics_of_low_precision_are_float32():
    x = torch.full((300,), 300.0, dtype=torch.float16)  # the square alone is beyond float16
    found = RMSNorm(300, gain=False)(x)
    assert found.dtype is torch.float16 and torch.equal(found, torch.ones_like(found))
