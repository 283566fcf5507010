"""A trained model in one file: weights and shape together."""

from pathlib import Path

import torch

from pipeline.weights import load_weights, read_metadata
from seq2seq.model import build
from seq2seq.settings import Stored
from torch_nn.transformer import Transformer


def load(
    path: Path, source_length: int = 0, device: torch.device | str = "cpu"
) -> tuple[Transformer, Stored]:
    """The model on `device`, and what its file says of it.

    source_length: nucleotides of the longest frame that it will read, if that is longer than those
    of its training: positions are computed, not learned, so that there is one for each.
    Raises InputError if the file holds no model of this room.
    """
    about = read_metadata(path, Stored)
    longest = max(about.source_length, source_length)
    model = build(about.model, longest, longest // 3 + 1).to(device)
    return load_weights(path, model), about
