"""Masked-nucleotide pretraining: what is asked, what is learned, what the training starts from."""

import json
import math

import pytest
import torch
from tiny_trainings import call

from dna import prepare as prepare_dna
from dna import pretrain, train
from pipeline.errors import InputError
from pipeline.weights import load_weights
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.dna_pretraining import NucleotideGuesser
from torch_nn.dna_tokens import PAD, UNKNOWN
from torch_nn.optimisation import clipped_step

SHAPE = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16, "stem_kernel": 3}


def guesser(**more):
    torch.manual_seed(0)
    shape = {"dropout": 0.0, "pooling": "cls", "stem_pools": [2], **SHAPE, **more}
    return NucleotideGuesser(DNAClassifier(9, 2, **shape))


@pytest.mark.parametrize("pooling", ["cls", "mean", "flatten"])
@pytest.mark.parametrize("pools", [[1], [2, 2]])
def test_each_letter_gets_a_guess(pooling, pools):
    letters = torch.tensor([[0, 1, 2, 3, 0, PAD, PAD, PAD, PAD], [0] * 7 + [PAD] * 2])
    assert guesser(pooling=pooling, stem_pools=pools)(letters).shape == (2, 9, 4)


def test_the_guess_of_a_hidden_letter_does_not_see_it():
    model = guesser().eval()
    seen = []
    encode = model.classifier.encode
    model.classifier.encode = lambda letters: seen.append(letters) or encode(letters)
    letters = torch.randint(4, (3, 9))
    letters[0, :2] = UNKNOWN
    letters[1, 5:] = PAD
    model.loss(letters, 0.5)
    (read,) = seen
    hidden = read != letters
    assert hidden.any() and (read[hidden] == UNKNOWN).all() and (letters[hidden] < 4).all()


def test_the_loss_is_the_mean_over_what_is_hidden():
    model = guesser()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
    assert model.loss(torch.randint(4, (20, 9)), 0.3).item() == pytest.approx(math.log(4))
    assert model.loss(torch.full((2, 9), UNKNOWN), 0.3).item() == 0


def test_it_learns_what_follows_what():
    """In ACGTACGT... a neighbour tells each letter."""
    model = guesser(stem_pools=[1])
    start = torch.arange(4).unsqueeze(1)
    letters = (start + torch.arange(9)) % 4  # (4, 9)
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(60):
        clipped_step(model, optimizer, model.loss(letters.repeat(8, 1), 0.2), 1e-2, 1.0)
    assert model.eval().loss(letters.repeat(8, 1), 0.2).item() < 0.3


def test_words_and_byte_pairs_are_refused():
    with pytest.raises(ValueError, match="nucleotides"):
        guesser(tokens="k-mers", k=2)


@pytest.mark.slow
def test_the_training_starts_from_all_but_the_head(monkeypatch, tmp_path):
    data = {"data": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    spec = {"sizes": [60, 20, 20], "length": 16, "place": 4}
    call(monkeypatch, prepare_dna, spec, out=data["data"], meta=data["meta"])
    start = tmp_path / "pretrained.safetensors"
    model = {**SHAPE, "pooling": "mean"}
    spec = {"model": model, "epochs": 2, "batch_size": 16}
    call(monkeypatch, pretrain, spec, **data, weights=start, history=tmp_path / "first.json")
    history = json.loads((tmp_path / "first.json").read_text())
    assert [point["epoch"] for point in history["curve"]] == [1, 2]
    assert history["task"] == "masked_nucleotides"
    out = {"weights": tmp_path / "w.safetensors", "history": tmp_path / "h.json"}
    # So small a rate that nothing moves.
    spec = {"model": model, "epochs": 1, "lr": 1e-12, "seed": 2, "weight_decay": 0.0}
    call(monkeypatch, train, spec, **data, start=start, **out)
    before, after = (
        load_weights(path, DNAClassifier(16, 2, **model)) for path in (start, out["weights"])
    )
    for name, weight in before.state_dict().items():
        same = torch.allclose(weight, after.state_dict()[name], atol=1e-6)
        assert same != name.startswith("head."), name
    with pytest.raises(InputError, match="these weights belong to another model"):
        other = {"model": {**model, "d_model": 8}, "epochs": 1}
        call(monkeypatch, train, other, **data, start=start, **out)
    start.write_bytes(start.read_bytes()[:-9])
    with pytest.raises(InputError, match="pretrained.safetensors: expected a whole safetensors"):
        call(monkeypatch, train, spec, **data, start=start, **out)
