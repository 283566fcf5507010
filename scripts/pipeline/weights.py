"""A PyTorch model's weights on disk, and a training's whole state as NumPy arrays.

Weights go to `.safetensors` (arrays and nothing else: reading a file runs no code). A state for
`pipeline.checkpoint.Checkpoint` is a flat dict of arrays plus one JSON value: weights, optimiser
moments and PyTorch's random-number states are stored bit for bit, so that a resumed training
continues as if it had never stopped.

    arrays, meta = training_state({"model": model, "ema": ema, "optimizer": optimizer}, device)
    checkpoint.save(arrays, {"step": step, "torch": meta})
    ...
    if (stored := checkpoint.load()):
        arrays, meta = stored
        restore_training_state({"model": model, ...}, arrays, meta["torch"], device)
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from pipeline.atomic import replacing
from pipeline.errors import InputError

_RNG_CPU, _RNG_CUDA = "__rng_cpu__", "__rng_cuda__"


def save_weights(
    path: str | Path, model: torch.nn.Module, metadata: Mapping[str, str] | None = None
) -> None:
    """Write `model`'s state (parameters and buffers) as safetensors, whole or not at all.

    Two names of one tensor (tied weights) are written as two equal arrays. metadata: strings that
    are kept in the file's header.
    """
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in model.state_dict().items()
    }
    # Bytes first: the library's own writer wraps a full disk into an error of its own.
    content = save(tensors, metadata=dict(metadata or {}))
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def load_weights(path: str | Path, model: torch.nn.Module) -> None:
    """Read `model`'s state from a safetensors file, in place.

    Raises InputError if the file is no safetensors file, or if its names or shapes are not the
    model's.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: expected a whole safetensors file, found: {error}. Train the model again."
        ) from None
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    wrong = [
        f"{name}: expected {expected.get(name, 'nothing')}, found {found.get(name, 'nothing')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    if wrong:
        raise InputError(
            f"{path}: these weights belong to another model ({'; '.join(wrong[:3])}"
            f"{' ...' if len(wrong) > 3 else ''}). Evaluate with the settings of the training."
        )
    model.load_state_dict(tensors)


def tensor_to_array(tensor: torch.Tensor) -> tuple[np.ndarray, str]:
    """Return the tensor's bits as an array and the name of its dtype (NumPy has no bfloat16)."""
    tensor = tensor.detach().to("cpu", copy=True).contiguous()
    name = str(tensor.dtype).removeprefix("torch.")
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy(), name


def array_to_tensor(array: np.ndarray, dtype: str) -> torch.Tensor:
    """The inverse of `tensor_to_array`, on the CPU."""
    tensor = torch.from_numpy(np.array(array))
    return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor


def state_to_arrays(state: Any) -> tuple[dict[str, np.ndarray], Any]:
    """Split a nested state_dict (dicts, lists, tensors, plain values) into arrays and JSON.

    Dict keys may be strings or integers (an optimiser's state has both).
    Raises TypeError for a value that is neither a tensor nor JSON.
    """
    arrays: dict[str, np.ndarray] = {}

    def split(value: Any, path: str) -> Any:
        if isinstance(value, torch.Tensor):
            arrays[path], dtype = tensor_to_array(value)
            return {"tensor": path, "dtype": dtype}
        if isinstance(value, Mapping):
            return {"items": [[key, split(item, f"{path}/{key}")] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            items = [split(item, f"{path}/{index}") for index, item in enumerate(value)]
            return {"list": items, "tuple": isinstance(value, tuple)}
        if value is None or isinstance(value, (bool, int, float, str)):
            return {"value": value}
        raise TypeError(f"{path}: a {type(value).__name__} has no place in a checkpoint")

    structure = split(state, "state")
    return arrays, structure


def arrays_to_state(arrays: Mapping[str, np.ndarray], structure: Any) -> Any:
    """The inverse of `state_to_arrays`."""
    if "tensor" in structure:
        return array_to_tensor(arrays[structure["tensor"]], structure["dtype"])
    if "items" in structure:
        return {key: arrays_to_state(arrays, item) for key, item in structure["items"]}
    if "list" in structure:
        items = [arrays_to_state(arrays, item) for item in structure["list"]]
        return tuple(items) if structure["tuple"] else items
    return structure["value"]


def training_state(
    parts: Mapping[str, Any], device: torch.device | None = None
) -> tuple[dict[str, np.ndarray], Any]:
    """The states of `parts` (anything with state_dict) and of PyTorch's random generators.

    device: the one that trains; its generator is stored too if it is a GPU. Generators of one's own
    (torch.Generator) may stand among `parts`. Returns (arrays, JSON) for Checkpoint.save.
    """
    states = {name: _get_state(part) for name, part in parts.items()}
    states[_RNG_CPU] = torch.get_rng_state()
    if device is not None and device.type == "cuda":
        states[_RNG_CUDA] = torch.cuda.get_rng_state(device)
    return state_to_arrays(states)


def restore_training_state(
    parts: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    structure: Any,
    device: torch.device | None = None,
) -> None:
    """Set `parts` and PyTorch's random generators, in place, to what `training_state` gave."""
    states = arrays_to_state(arrays, structure)
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            part.set_state(states[name])
        else:
            part.load_state_dict(states[name])
    torch.set_rng_state(states[_RNG_CPU])
    if device is not None and device.type == "cuda" and _RNG_CUDA in states:
        torch.cuda.set_rng_state(states[_RNG_CUDA], device)


def _get_state(part: Any) -> Any:
    return part.get_state() if isinstance(part, torch.Generator) else part.state_dict()


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
