"""Steps of the optimizer: clipping, rate, what is not finite; the average of the weights."""

import math

import pytest
import torch
from torch import nn

from torch_nn.optimisation import Optimizers, clipped_step, decay_groups, weight_average


def line():
    """y = 3 x: the loss (w x)^2 at x = 1 has the gradient 2 w = 6."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 3.0)
    return model


@pytest.mark.parametrize(("clip", "step"), [(math.inf, 6.0), (1.5, 1.5)])
def test_a_step_by_hand(clip, step):
    model = line()
    optimizer = torch.optim.SGD(model.parameters(), lr=7.0)
    for _ in range(2):  # a gradient left over from before would count twice
        nn.init.constant_(model.weight, 3.0)
        loss = model(torch.ones(1, 1)).square().sum()
        assert clipped_step(model, optimizer, loss, lr=0.1, clip=clip) == 9.0
        assert model.weight.item() == pytest.approx(3 - 0.1 * step)
    assert optimizer.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize(
    "broken",
    [
        lambda w: w.sum() * math.nan,
        lambda w: w.sum() * math.inf,
        lambda w: (w - w).sqrt().sum(),  # 0, with an infinite gradient
        lambda w: w.sum() + math.inf,  # with the gradient 1
    ],
)
def test_what_is_not_finite_changes_nothing(broken):
    model = line()
    optimizer = torch.optim.AdamW(model.parameters())
    assert math.isnan(clipped_step(model, optimizer, broken(model.weight), lr=0.1, clip=1.0))
    assert model.weight.item() == 3.0 and not optimizer.state


def test_parts_of_a_batch_add_up_to_the_batch():
    x, y = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    whole, parts = nn.Linear(4, 4), nn.Linear(4, 4)
    parts.load_state_dict(whole.state_dict())
    values = []
    for model, pieces in ((whole, 1), (parts, 3)):
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        chunks = zip(x.chunk(pieces), y.chunk(pieces), strict=True)
        losses = ((model(a) - b).square().mean() / pieces for a, b in chunks)
        values.append(clipped_step(model, optimizer, losses, lr=0.1, clip=1.0))
    assert values[0] == pytest.approx(values[1])
    torch.testing.assert_close(whole.weight, parts.weight, atol=1e-6, rtol=0)


def test_several_optimizers_step_as_one_each_at_its_own_rate():
    model = nn.ModuleList([line(), line()])
    first, second = (torch.optim.SGD(net.parameters(), lr=1.0) for net in model)
    second.param_groups[0]["lr_scale"] = 10.0
    both = Optimizers(first, second)
    loss = sum(net.weight.square().sum() for net in model)
    clipped_step(model, both, loss, lr=0.01, clip=math.inf)
    assert [net.weight.item() for net in model] == pytest.approx([3 - 0.06, 3 - 0.6])
    again = Optimizers(*(torch.optim.SGD(net.parameters(), lr=1.0) for net in model))
    again.load_state_dict(both.state_dict())
    assert [group["lr"] for group in again.param_groups] == pytest.approx([0.01, 0.1])


def test_a_scale_too_large_for_float16_skips_the_step_and_shrinks():
    model = line()
    scaler = torch.amp.GradScaler("cpu", init_scale=math.inf)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    value = clipped_step(model, optimizer, model.weight.square().sum(), 0.1, 1.0, scaler)
    assert (value, model.weight.item()) == (9.0, 3.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    clipped_step(model, optimizer, model.weight.square().sum(), 0.1, 1.5, scaler)
    assert model.weight.item() == pytest.approx(3 - 0.15)


def test_the_average_of_the_weights_by_hand():
    model = line()
    average = weight_average(model, 0.75)
    for value in (3.0, 5.0, 9.0):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    # The first update copies; then 0.75 * 3 + 0.25 * 5 = 3.5, 0.75 * 3.5 + 0.25 * 9 = 4.875.
    assert average.module.weight.item() == pytest.approx(4.875)


def test_an_average_of_decay_0_is_the_model_itself():
    model = line()
    average = weight_average(model, 0.0)
    for value in (3.0, 5.0):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
        assert average.module.weight.item() == value


def test_matrices_and_kernels_decay_vectors_do_not():
    net = nn.Sequential(nn.Linear(3, 2), nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.LayerNorm(4))
    tied = nn.Linear(3, 2)
    tied.weight = net[0].weight
    net.append(tied)
    decayed, free = decay_groups(net, 0.1)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 3), (2, 1, 3, 3)]
    assert len(free["params"]) == 2 + 2 + 2 + 1 and all(p.dim() == 1 for p in free["params"])
