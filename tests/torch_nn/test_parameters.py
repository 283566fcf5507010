"""The number of parameters: tied matrices, buffers, frozen ones."""

from torch import nn

from torch_nn.parameters import parameter_count


def test_tied_once_buffers_and_frozen_not():
    net = nn.ModuleList([nn.Linear(3, 2), nn.Linear(3, 2, bias=False), nn.BatchNorm1d(5)])
    assert parameter_count(net) == (3 * 2 + 2) + 3 * 2 + 2 * 5
    net[1].weight = net[0].weight
    assert parameter_count(net) == (3 * 2 + 2) + 2 * 5
    net[2].requires_grad_(False)
    assert parameter_count(net) == 3 * 2 + 2
