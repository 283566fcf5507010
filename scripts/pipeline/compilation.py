"""torch.compile where it is wanted and there is a compiler for it."""

import importlib.util
import os
import shutil
from typing import TypeVar

import torch

Model = TypeVar("Model", bound=torch.nn.Module)


def compiled(model: Model, wanted: bool, device: torch.device) -> Model:
    """`model`, compiled for `device` if that is wanted and possible; it shares its weights.

    On a CPU the compiler is that of C++, on a GPU Triton. Prints the choice and why. Compiled
    arithmetic differs in its last bits: the history of a training says which it was (`compiled`).
    """
    if not wanted:
        print("compile: no, as the settings say")
        return model
    if device.type == "cuda":
        compiler = "triton" if importlib.util.find_spec("triton") else None
    else:
        compiler = next(
            filter(shutil.which, [os.environ.get("CXX", "c++"), "g++", "clang++"]), None
        )
    if compiler is None:
        print("compile: no, since there is no compiler for it")
        return model
    print(f"compile: yes, by {compiler}: the first step takes a while")
    return torch.compile(model)  # type: ignore[return-value]
