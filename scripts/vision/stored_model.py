"""A trained model in one file: weights, shape and the names of the classes together."""

from pathlib import Path

import torch
from torch import nn

from pipeline.weights import load_weights, read_metadata
from vision.model import build
from vision.settings import Stored


def load(path: Path, device: torch.device | str = "cpu") -> tuple[nn.Module, Stored]:
    """The model on `device`, and what its file says of it.

    Raises InputError if the file holds no model of this room.
    """
    about = read_metadata(path, Stored)
    model = build(about, about.image_shape, len(about.classes)).to(device)
    return load_weights(path, model), about
