"""A model is used from its file alone; one that does not fit is one line."""

import pytest
import torch
from tiny_trainings import call

from dna.settings import Model as DnaModel
from gpt import trace
from gpt.model import build
from gpt.settings import Model, Stored
from gpt.stored_model import load
from gpt.tokenizer import CharacterTokenizer
from pipeline.errors import InputError
from pipeline.weights import save_weights

CHARACTERS = {"kind": "characters", "characters": "abc", "separator": True}
ABOUT = {"dataset": "x", "title": "X", "stand_in": True, "data_sha256": "0" * 64}
SHAPE = Model(context=8, n_layers=1, n_heads=2, d_model=8)


def stored(path, tokenizer=CHARACTERS, **shape):
    model = build(SHAPE, 4)
    about = Stored(model=SHAPE.model_copy(update=shape), tokenizer=tokenizer, **ABOUT)
    save_weights(path, model, about)
    return model


def test_the_file_alone_gives_the_model_its_tokenizer_and_its_text(tmp_path):
    made = stored(tmp_path / "m.safetensors")
    model, tokenizer, about = load(tmp_path / "m.safetensors")
    assert isinstance(tokenizer, CharacterTokenizer) and tokenizer.decode([2, 0]) == "ca"
    assert about.title == "X" and about.model == SHAPE and model.context == 8
    for name, tensor in made.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"d_model": 16}, "these weights belong to another model"),
        ({"tokenizer": {"kind": "characters"}}, "expected a tokenizer in it"),
        ({"tokenizer": {"version": 1}}, "expected a tokenizer in it"),
        ({"tokenizer": {**CHARACTERS, "characters": "abcd"}}, "these weights belong to another"),
    ],
)
def test_a_file_that_contradicts_itself_is_one_line(tmp_path, change, line):
    stored(tmp_path / "m.safetensors", **change)
    with pytest.raises(InputError, match=f"m.safetensors: {line}") as error:
        load(tmp_path / "m.safetensors")
    assert "\n" not in str(error.value)


def test_a_model_of_another_room_is_one_line(tmp_path):
    save_weights(tmp_path / "m.safetensors", build(SHAPE, 4), DnaModel())
    with pytest.raises(InputError, match="expected a model of gpt, found: one of dna"):
        load(tmp_path / "m.safetensors")


def test_an_unknown_character_in_the_sentence_is_one_line(monkeypatch, tmp_path):
    stored(tmp_path / "m.safetensors")
    paths = {name: tmp_path / name for name in ("attention", "positions")}
    with pytest.raises(InputError, match="sentence: .*found 'd' as character 2 of 2"):
        call(monkeypatch, trace, {"sentence": "ad"}, weights=tmp_path / "m.safetensors", **paths)
