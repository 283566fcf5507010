"""What training and evaluation of the DNA classifier share: its settings, and prediction."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from dna.sequences import PAD, VOCABULARY
from pipeline.errors import InputError
from pipeline.settings import Settings
from raw.prepared import again, load_arrays
from torch_nn.dna_augmentation import reverse_complement
from torch_nn.dna_classifier import DNAClassifier

TITLE = "Transformer encoder"


class Architecture(Settings):
    """The settings of torch_nn.dna_classifier.DNAClassifier."""

    d_model: int = Field(48, ge=1, description="channels")
    n_heads: int = Field(4, ge=1, description="attention heads; divides d_model")
    n_layers: int = Field(2, ge=1, description="encoder layers")
    d_ff: int = Field(96, ge=1, description="width of the feed-forward networks")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of activations set to 0")
    head_dropout: float = Field(0.3, ge=0, lt=1, description="the same, before the head")
    stem_kernel: int = Field(7, ge=0, description="nucleotides of the convolution; 0: none")
    pooling: Literal["cls", "mean", "flatten"] = Field("flatten", description="cls, mean, flatten")

    def build(self, length: int, n_classes: int) -> DNAClassifier:
        """The model for sequences of at most `length` nucleotides, with fresh weights."""
        try:
            return DNAClassifier(VOCABULARY, PAD, length, n_classes, **self.model_dump())
        except ValueError as error:
            raise InputError(f"model settings: {error}") from None


def read_split(path: Path, split: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Tokens (N, L) and labels (N,) of a split of sequences.npz, int64, on `device`."""
    x, y = (a.astype(np.int64) for a in load_arrays(path, f"{split}_x", f"{split}_y"))
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.size or x.min() < 0 or x.max() >= VOCABULARY:
        raise InputError(
            f"{path}: {split}: expected tokens (N, L) below {VOCABULARY} and labels (N,), found"
            f" {x.shape} and {y.shape}. {again(path)}"
        )
    return torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)


@torch.no_grad()
def predict(
    model: nn.Module, tokens: Tensor, both_strands: bool = False, batch_size: int = 512
) -> Tensor:
    """Class probabilities (N, K) of tokens (N, T), without dropout.

    both_strands: the mean over the sequence and its reverse complement, for classes that do not
    depend on the strand.
    """
    model.eval()
    parts = []
    for batch in tokens.split(batch_size):
        probabilities = model(batch).softmax(dim=1)  # (B, K)
        if both_strands:
            turned = model(reverse_complement(batch, PAD)).softmax(dim=1)  # (B, K)
            probabilities = (probabilities + turned) / 2
        parts.append(probabilities)
    return torch.cat(parts)
