"""Muon: the iteration by hand and against the SVD, the step against torch.optim.Muon."""

import copy

import pytest
import torch
from torch import nn

from torch_nn.muon import QUINTIC, Muon, orthogonalised


def random_matrix(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_one_step_of_the_iteration_by_hand():
    a, b, c = QUINTIC
    s = torch.tensor([0.6, 0.8])  # a diagonal matrix of norm 1 has these singular values
    found = orthogonalised(3 * torch.diag(s), steps=1)
    torch.testing.assert_close(found, torch.diag(a * s + b * s**3 + c * s**5))


@pytest.mark.parametrize("shape", [(16, 16), (64, 16), (16, 64)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    matrix = random_matrix(*shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalised(matrix)
    inner = u.mT @ found @ v.mT  # (r, r): diagonal if the directions are the same
    values = inner.diagonal()
    torch.testing.assert_close(inner, torch.diag(values), atol=1e-4, rtol=0)
    assert values.min() > 0.6 and values.max() < 1.25


def test_zeros_stay_zeros():
    assert not orthogonalised(torch.zeros(3, 5)).any()


@pytest.mark.parametrize("shape", [(8, 8), (32, 8), (8, 32)])
def test_steps_like_torch_muon(shape, monkeypatch):
    """torch.optim.Muon with its iteration in float32: then the weights agree within 1e-6."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.float())
    ours, theirs = compare(shape)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_torch_muon_as_it_is_differs_by_the_rounding_of_bfloat16():
    ours, theirs = compare((32, 8))
    torch.testing.assert_close(ours, theirs, atol=5 * 0.02 * 2 * 2**-6, rtol=0)


def compare(shape):
    ours = nn.Parameter(random_matrix(*shape))
    theirs = copy.deepcopy(ours)
    settings = {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1}
    optimizers = [Muon([ours], **settings), torch.optim.Muon([theirs], **settings)]
    for seed in range(5):
        gradient = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        for weight, optimizer in zip((ours, theirs), optimizers, strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    return ours.detach(), theirs.detach()


def test_a_step_by_hand_and_nothing_without_a_gradient():
    weight, idle = nn.Parameter(torch.eye(2)), nn.Parameter(torch.eye(2))
    optimizer = Muon([weight, idle], lr=0.1, momentum=0.9, weight_decay=0.5)
    weight.grad = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    optimizer.step()
    step = orthogonalised(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))[0, 1]  # about 1
    expected = torch.tensor([[0.95, -0.1 * step], [0.0, 0.95]])
    torch.testing.assert_close(weight.detach(), expected)
    assert torch.equal(idle.detach(), torch.eye(2))


def test_only_matrices():
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        Muon([nn.Parameter(torch.ones(3))])
