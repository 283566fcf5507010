"""A trained net, ready to use: from a run, or from one small file.

A run keeps the weights, with the architecture, in model.npz. What else is known of them is in
history.json beside them and in examples.npz of all nets of their kind. A model of the reference is
one safetensors file that holds all of it, matrices in half precision.
"""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from mlp.settings import Stored
from numpy_nn.architecture import Model
from numpy_nn.stored_model import model_from_state
from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.read_json import read_json


def load(path: Path) -> tuple[Model, Stored]:
    """The net, in evaluation, and what is known of it.

    Raises InputError if the files hold no net of this room, or belong to none that was evaluated.
    """
    state, about = read_state(path)
    try:
        return model_from_state(state), about
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected a net of this room, found: {error}") from None


def read_state(path: Path) -> tuple[dict[str, np.ndarray], Stored]:
    """The arrays of the net, numbers as float32, and what is known of it."""
    if path.suffix == ".npz":
        return read_npz(path), _beside(path)
    try:
        with safe_open(path, "numpy") as opened:
            values = json.loads((opened.metadata() or {})["about"])
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        about = Stored.model_validate({k: v for k, v in values.items() if k != "room"})
    except (SafetensorError, OSError, KeyError, ValueError, AttributeError) as error:
        found = " ".join(str(error).split())
        raise InputError(f"{path}: expected a net of mlp, found: {found}") from None
    half = np.dtype(np.float16)
    return {n: a.astype(np.float32) if a.dtype == half else a for n, a in state.items()}, about


def _beside(path: Path) -> Stored:
    """What the files beside the weights of a run say of them."""
    history = read_json(path.with_name("history.json"), ("model", "inputs", "dataset"))
    examples = path.parent.parent / "examples.npz"
    if not examples.exists():
        raise InputError(f"{examples}: no such file: evaluate the net first (make run)")
    found = read_npz(examples, ("images", "classes"))
    height, width, *channels = found["images"].shape[1:]  # images (n, H, W) or (n, H, W, C)
    return Stored(
        title=history["model"],
        inputs=history["inputs"],
        dataset=history["dataset"],
        image_shape=[*(channels or [1]), height, width],
        classes=found["classes"].tolist(),
    )
