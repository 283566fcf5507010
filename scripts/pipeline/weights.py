"""PyTorch on disk: a model's weights, and the state of a training.

Weights are `.safetensors` (arrays and nothing else: reading a file runs no code). What else a model
needs to be used from its file alone travels in the file's header: settings of its room.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from pipeline.atomic import replacing
from pipeline.errors import InputError
from pipeline.settings import Settings, problems

Model = TypeVar("Model", bound=torch.nn.Module)
Stored = TypeVar("Stored", bound=Settings)
_RNG_CPU, _RNG_CUDA = "__rng_cpu__", "__rng_cuda__"


def save_weights(path: str | Path, model: torch.nn.Module, about: Settings | None = None) -> None:
    """Write `model`'s state (parameters and buffers) as safetensors, whole or not at all.

    Two names of one tensor (tied weights) are written as two equal arrays. about: what
    `read_metadata` gives back, kept in the file's header.
    """
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in model.state_dict().items()
    }
    # One key: the library writes several in any order, and equal models shall be equal files.
    values = {"room": _room(type(about)), **about.model_dump(mode="json")} if about else {}
    metadata = {"about": json.dumps(values, sort_keys=True)} if about else {}
    # Bytes first: the library's own writer wraps a full disk into an error of its own.
    content = save(tensors, metadata=metadata)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_metadata(path: str | Path, kind: type[Stored]) -> Stored:
    """What `save_weights` was given as `about`, which must be a `kind`.

    Raises InputError if the file is no safetensors file, says nothing of its model, or says that it
    is another room's.
    """
    try:
        with safe_open(path, "pt") as opened:
            values = json.loads((opened.metadata() or {})["about"])
        if (room := values.pop("room")) != _room(kind):
            raise ValueError(f"one of {room}")
        return kind.model_validate_json(json.dumps(values))
    except ValidationError as error:
        found = "; ".join(problems(error, kind))
    except (KeyError, AttributeError):
        found = "weights that do not say of which model they are"
    except (SafetensorError, OSError, ValueError) as error:
        found = str(error)
    raise InputError(f"{path}: expected a model of {_room(kind)}, found: {found}. Train it again.")


def _room(kind: type[Settings]) -> str:
    """The room whose settings.py defines `kind`."""
    return kind.__module__.partition(".")[0]


def load_weights(path: str | Path, model: Model) -> Model:
    """Read `model`'s state from a safetensors file, in place, and return it.

    Raises InputError if the file is no safetensors file, or if its names or shapes are not the
    model's.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        wrong = f"{path}: expected a whole safetensors file, found: {error}"
        raise InputError(f"{wrong}. Train the model again.") from None
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        wanted, there = expected.get(name, "nothing"), found.get(name, "nothing")
        if wanted != there:
            wrong = (
                f"these weights belong to another model ({name}: expected {wanted}, found {there})"
            )
            raise InputError(f"{path}: {wrong}. Evaluate with the settings of the training.")
    model.load_state_dict(tensors)
    return model


class TorchParts:
    """The state of everything that a PyTorch training changes, for a TrainingRun's checkpoint.

        parts = TorchParts(device, model=model, best=best, optimizer=optimizer)

    A part is anything with a state_dict, or a torch.Generator. PyTorch's global generators (that of
    the CPU, and of `device` if it is a GPU) belong to the state. Bits are kept: a run that was
    resumed continues as if it had never stopped.
    """

    def __init__(self, device: torch.device, **parts: Any):
        self.device, self.parts = device, parts

    def state(self) -> tuple[dict[str, np.ndarray], None]:
        """The whole state as one array of bytes, which the checkpoint guards by a checksum."""
        states = {
            name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
            for name, part in self.parts.items()
        }
        states[_RNG_CPU] = torch.get_rng_state()
        if self.device.type == "cuda":
            states[_RNG_CUDA] = torch.cuda.get_rng_state(self.device)
        buffer = io.BytesIO()
        torch.save(states, buffer)
        return {"torch": np.frombuffer(buffer.getbuffer(), np.uint8)}, None

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: None = None) -> None:
        """Set all parts and the generators, in place, to what `state` returned."""
        buffer = io.BytesIO(arrays["torch"].tobytes())
        states = torch.load(buffer, map_location="cpu", weights_only=True)
        for name, part in self.parts.items():
            restore = part.set_state if isinstance(part, torch.Generator) else part.load_state_dict
            restore(states[name])
        torch.set_rng_state(states[_RNG_CPU])
        if self.device.type == "cuda" and _RNG_CUDA in states:
            torch.cuda.set_rng_state(states[_RNG_CUDA], self.device)
