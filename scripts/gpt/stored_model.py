"""A trained model in one file: weights, shape and tokenizer together."""

from pathlib import Path

import torch

from gpt.model import build
from gpt.settings import Model, Stored
from gpt.tokenizer import Tokenizer, read_tokenizer
from pipeline.errors import InputError
from pipeline.weights import load_weights, read_metadata
from raw.prepared import load_json
from torch_nn.language_model import LanguageModel

# What a program reads that runs one trained model, for pipeline.settings.arguments.
MODEL_INPUTS = {"weights": "trained model, which holds its shape and its tokenizer"}


def describe(shape: Model, meta: Path, tokenizer: Path) -> Stored:
    """What to write beside the weights of a model that was trained on a text.

    meta, tokenizer: meta.json and tokenizer.json of the text.
    """
    names = ("dataset", "title", "stand_in", "data_sha256")
    values = load_json(meta, names)
    about = {name: values[name] for name in names}
    return Stored(model=shape, tokenizer=load_json(tokenizer, ()), **about)


def load(path: Path, device: torch.device | str = "cpu") -> tuple[LanguageModel, Tokenizer, Stored]:
    """The model on `device`, its tokenizer, and what its file says of it.

    Raises InputError if the file holds no model of this room.
    """
    about = read_metadata(path, Stored)
    try:
        tokenizer = read_tokenizer(about.tokenizer)
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path}: expected a tokenizer in it, found: {error}") from None
    model = build(about.model, tokenizer.vocab_size).to(device)
    return load_weights(path, model), tokenizer, about
