"""Weights on disk and exact resume: what comes back is, bit for bit, what was stored."""

import pytest
import torch

from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.torch_setup import setup
from pipeline.weights import (
    arrays_to_state,
    load_weights,
    restore_training_state,
    save_weights,
    state_to_arrays,
    training_state,
)


def model() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7), torch.nn.Dropout(0.3), torch.nn.Linear(7, 2)
    )


def train(net, optimizer, generator, steps):
    for _ in range(steps):
        x = torch.randn(8, 5, generator=generator)
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(
    "make", [lambda p: torch.optim.AdamW(p, lr=0.1), lambda p: torch.optim.SGD(p, 0.1, 0.9)]
)
def test_resume_equals_uninterrupted_bit_by_bit(tmp_path, make):
    def fresh():
        setup(3, 1)
        net = model()
        return {"model": net, "optimizer": make(net.parameters()), "data": torch.Generator()}

    whole = fresh()
    train(*whole.values(), 20)
    half = fresh()
    train(*half.values(), 9)
    arrays, meta = training_state(half)
    Checkpoint(tmp_path, "key").save(arrays, {"step": 9, "torch": meta})

    resumed = fresh()
    torch.randn(100)  # a resumed process has drawn other numbers before
    arrays, meta = Checkpoint(tmp_path, "key").load()
    restore_training_state(resumed, arrays, meta["torch"])
    train(*resumed.values(), 11)
    for name, tensor in whole["model"].state_dict().items():
        assert torch.equal(tensor, resumed["model"].state_dict()[name]), name
    assert torch.equal(torch.randn(4), (train(*fresh().values(), 20), torch.randn(4))[1])


def test_state_keeps_types_and_bits():
    state = {
        0: {"step": torch.tensor(3.0), "m": torch.randn(2, 3).bfloat16()},
        "groups": [{"betas": (0.9, 0.95), "lr": 0.1, "none": None, "flag": True}],
        "count": torch.tensor(2**40),
        "slice": torch.arange(6).reshape(2, 3).t(),
    }
    back = arrays_to_state(*state_to_arrays(state))
    assert list(back) == list(state)
    assert back["groups"] == state["groups"] and isinstance(back["groups"][0]["betas"], tuple)
    for found, given in [(back[0]["m"], state[0]["m"]), (back["slice"], state["slice"])]:
        assert found.dtype == given.dtype and torch.equal(found, given)
    assert back["count"] == 2**40 and back["count"].shape == ()


def test_state_refuses_objects():
    with pytest.raises(TypeError, match="state/lambda"):
        state_to_arrays({"lambda": object()})


def test_stored_state_is_a_copy():
    tensor = torch.zeros(3)
    arrays, _ = state_to_arrays({"x": tensor})
    tensor += 1
    assert not arrays["state/x"].any()


def test_weights_round_trip_with_tied_tensors(tmp_path):
    net = model()
    net.tied = net[0].weight
    save_weights(tmp_path / "m.safetensors", net, {"model": "tiny"})
    other = model()
    other.tied = other[0].weight
    load_weights(tmp_path / "m.safetensors", other)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


def test_weights_of_another_model_are_refused(tmp_path):
    save_weights(tmp_path / "m.safetensors", torch.nn.Linear(3, 4))
    with pytest.raises(InputError, match=r"weight: expected \(4, 5\), found \(4, 3\)"):
        load_weights(tmp_path / "m.safetensors", torch.nn.Linear(5, 4))


def test_truncated_weights_are_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    save_weights(path, torch.nn.Linear(3, 4))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="whole safetensors file"):
        load_weights(path, torch.nn.Linear(3, 4))


def test_setup_repeats_and_sets_threads(capsys):
    before = torch.get_num_threads()
    try:
        setup(5, 1)
        first = torch.randn(3)
        assert torch.get_num_threads() == 1
        setup(5, 1)
        assert torch.equal(first, torch.randn(3))
        assert torch.are_deterministic_algorithms_enabled()
        assert "since" in capsys.readouterr().out
    finally:
        torch.set_num_threads(before)
