"""Muon for filters: its step by hand, and what it keeps."""

import torch
from torch import nn

from torch_nn.filter_muon import FilterMuon
from torch_nn.muon import orthogonalised


def filters(seed=0, shape=(6, 4, 3, 3)):
    generator = torch.Generator().manual_seed(seed)
    return nn.Parameter(torch.randn(shape, generator=generator))


def test_two_steps_by_hand():
    weight, first, second = filters(0), filters(1).data, filters(2).data
    expected = weight.data.clone()
    optimizer = FilterMuon([weight], lr=0.1, momentum=0.8)
    for gradient, m in ((first, first), (second, 0.8 * first + second)):
        weight.grad = gradient.clone()
        optimizer.step()
        step = orthogonalised((gradient + 0.8 * m).flatten(1), steps=3).view_as(m)
        expected = 6**0.5 * expected / expected.norm() - 0.1 * step
    torch.testing.assert_close(weight.data, expected)


def test_the_size_of_weights_and_gradients_does_not_matter():
    found = []
    for scale in (1.0, 100.0):
        weight = nn.Parameter(filters(0).data * scale)
        weight.grad = filters(1).data / scale
        FilterMuon([weight], lr=0.1, momentum=0.8).step()
        found.append(weight.data)
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-4)


def test_channels_last_gives_the_same_step():
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(filters(0).data.to(memory_format=layout))
        weight.grad = filters(1).data.to(memory_format=layout)
        FilterMuon([weight], lr=0.1, momentum=0.8).step()
        assert weight.is_contiguous(memory_format=layout)
        found.append(weight.data)
    torch.testing.assert_close(*found)
