"""Weights on disk and exact resume: what comes back is, bit for bit, what was stored."""

import pytest
import torch

from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.settings import Settings
from pipeline.torch_setup import setup
from pipeline.weights import TorchParts, load_weights, read_metadata, save_weights

CPU = torch.device("cpu")


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
        return {"net": net, "optimizer": make(net.parameters()), "generator": torch.Generator()}

    whole = fresh()
    train(**whole, steps=20)
    next_draws = torch.randn(4)
    half = fresh()
    train(**half, steps=9)
    arrays, meta = TorchParts(CPU, **half).state()
    Checkpoint(tmp_path, "key").save(arrays, {"parts": meta})

    resumed = fresh()
    torch.randn(100)  # a resumed process has drawn other numbers before
    arrays, meta = Checkpoint(tmp_path, "key").load()
    TorchParts(CPU, **resumed).load_state(arrays, meta["parts"])
    train(**resumed, steps=11)
    for name, tensor in whole["net"].state_dict().items():
        assert torch.equal(tensor, resumed["net"].state_dict()[name]), name
    assert torch.equal(torch.randn(4), next_draws)


def test_a_state_is_a_copy_and_keeps_dtypes():
    net = torch.nn.Linear(3, 4).bfloat16()
    kept = net.weight.detach().clone()
    parts = TorchParts(CPU, net=net)
    state = parts.state()
    with torch.no_grad():
        net.weight.zero_()
    parts.load_state(*state)
    assert net.weight.dtype is torch.bfloat16 and torch.equal(net.weight, kept)


def test_weights_round_trip_with_tied_tensors(tmp_path):
    net = model()
    net.tied = net[0].weight
    save_weights(tmp_path / "m.safetensors", net)
    other = model()
    other.tied = other[0].weight
    assert load_weights(tmp_path / "m.safetensors", other) is other
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


def test_weights_of_another_model_are_refused(tmp_path):
    save_weights(tmp_path / "m.safetensors", torch.nn.Linear(3, 4))
    with pytest.raises(InputError, match=r"weight: expected \(4, 5\), found \(4, 3\)"):
        load_weights(tmp_path / "m.safetensors", torch.nn.Linear(5, 4))


class Shape(Settings):
    """What a model of these tests needs besides its weights."""

    width: int
    words: list[str] = []


class Other(Settings):
    """The same of another room."""


Other.__module__ = "dna.settings"


def test_a_file_says_what_its_model_is(tmp_path):
    path, about = tmp_path / "m.safetensors", Shape(width=4, words=["ü", "<"])
    save_weights(path, torch.nn.Linear(3, 4), about)
    first = path.read_bytes()
    save_weights(path, torch.nn.Linear(3, 4), about)
    assert read_metadata(path, Shape) == about
    header = slice(8 + int.from_bytes(first[:8], "little"))
    assert path.read_bytes()[header] == first[header]


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
def test_a_file_of_another_kind_is_one_line(tmp_path):
    path = tmp_path / "m.safetensors"
    for content, found in (
        (None, "weights that do not say of which model they are"),
        (Other(), "one of dna"),
        (Shape.model_construct(width="4"), "width: expected a whole number"),
    ):
        save_weights(path, torch.nn.Linear(3, 4), content)
        with pytest.raises(InputError, match=f"m.safetensors: expected a model.*{found}") as error:
            read_metadata(path, Shape)
        assert "\n" not in str(error.value)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="expected a model"):
        read_metadata(path, Shape)


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


def test_a_device_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"device: expected one that is there \(.*cpu\), found"):
        setup(5, 1, "cuda")


def test_the_device_is_the_wanted_one_and_says_why(capsys):
    before = torch.get_num_threads()
    try:
        assert setup(5, 1, "cpu").type == "cpu"
        assert "device: cpu, 1 thread(s), as the settings say" in capsys.readouterr().out
    finally:
        torch.set_num_threads(before)
