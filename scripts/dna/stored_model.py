"""A trained model in one file: weights, shape, strands and the names of the classes together."""

from collections.abc import Mapping
from pathlib import Path

import torch

from dna.model import build
from dna.settings import Candidate, Stored
from pipeline.errors import InputError
from pipeline.weights import load_weights, read_metadata
from torch_nn.dna_classifier import DNAClassifier

# What a model's file says of its data, as meta.json does.
OF_DATA = ("classes", "dataset", "title", "stand_in", "data_sha256")


def describe(candidate: Candidate, length: int, meta: Mapping) -> Stored:
    """What to write beside the weights of a model that was trained on sequences.

    length: nucleotides of the longest; meta: of their meta.json.
    """
    about = {name: meta[name] for name in OF_DATA}
    shape = {"model": candidate.model, "both_strands": candidate.both_strands}
    return Stored(length=length, **shape, **about)


def load(path: Path, device: torch.device | str = "cpu") -> tuple[DNAClassifier, Stored]:
    """The model on `device`, and what its file says of it.

    Raises InputError if the file holds no model of this room.
    """
    about = read_metadata(path, Stored)
    model = build(about.model, about.length, len(about.classes)).to(device)
    return load_weights(path, model), about


def load_all(paths: list[Path], meta: Mapping, device: torch.device) -> tuple[list, Stored]:
    """The models of all seeds, and what their files say.

    Raises InputError if one was trained on other data than `meta` describes, or if they differ in
    shape or strands: their answers cannot be averaged.
    """
    models, abouts = zip(*(load(path, device) for path in paths), strict=True)
    for path, about in zip(paths, abouts, strict=True):
        for name in ("classes", "data_sha256"):
            if (found := getattr(about, name)) != meta[name]:
                wrong = f"expected a model that was trained on these data ({name} {meta[name]})"
                raise InputError(
                    f"{path}: {wrong}, found {found}. Train again, or use dna.predict."
                )
        if about != abouts[0]:
            wrong = f"expected the settings of {paths[0]}"
            raise InputError(f"{path}: {wrong}, found a model of others. Train both alike.")
    return list(models), abouts[0]
