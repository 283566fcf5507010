"""The room's model: built from its settings, its data, its answers."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dna.sequences import PAD, VOCABULARY
from dna.settings import Model
from pipeline.errors import InputError
from raw.prepared import again, load_arrays
from torch_nn.dna_augmentation import reverse_complement
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.eval_mode import evaluating

TITLE = "Transformer encoder"


def build(shape: Model, length: int, n_classes: int) -> DNAClassifier:
    """The classifier of sequences of at most `length` nucleotides, with fresh weights."""
    return DNAClassifier(length, n_classes, **shape.model_dump())


def read_split(path: Path, split: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Tokens (N, L) and labels (N,) of a split of sequences.npz, int64, on `device`."""
    x, y = (a.astype(np.int64) for a in load_arrays(path, f"{split}_x", f"{split}_y"))
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.size or x.min() < 0 or x.max() >= VOCABULARY:
        wrong = f"expected tokens (N, L) and labels (N,), found {x.shape} and {y.shape}"
        raise InputError(f"{path}: {split}: {wrong}. {again(path)}")
    return torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)


def predict(model: nn.Module, tokens: Tensor) -> Tensor:
    """Class probabilities (N, K) of tokens (N, T), without dropout."""
    # Attention compares T^2 places of every sequence: fewer long ones fit into memory at once.
    batch_size = max(1, min(512, 2**26 // tokens.size(1) ** 2))
    with evaluating(model):
        return torch.cat([model(batch).softmax(dim=1) for batch in tokens.split(batch_size)])


def predict_views(model: nn.Module, tokens: Tensor, both_strands: bool) -> dict[str, Tensor]:
    """Class probabilities (N, K) of tokens (N, T) by views, as the leaderboard calls them.

    both_strands: after those of the sequence itself ("none"), their mean with those of its reverse
    complement, for classes that do not depend on the strand. The last are the model's answer.
    """
    found = {"none": predict(model, tokens)}
    if both_strands:
        other = predict(model, reverse_complement(tokens, PAD))
        found["both strands"] = (found["none"] + other) / 2
    return found
