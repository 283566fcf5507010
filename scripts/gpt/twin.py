"""One GPT in two frameworks, numpy_nn.gpt and torch_nn.gpt: the same weights, both ways.

PyTorch keeps the matrix of a Linear transposed, queries, keys and values apart, and the tied table
under a second name.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from gpt.settings import Shape
from torch_nn.gpt import GPT


def build_twin(shape: Shape, vocab_size: int, attention: str = "explicit") -> GPT:
    """The model in PyTorch that computes what numpy_nn.gpt.GPT does, with weights of its own."""
    sizes = (vocab_size, shape.context, shape.n_layers, shape.n_heads, shape.d_model)
    return GPT(*sizes, activation="gelu tanh", attention=attention)


def to_torch(state: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """The state_dict in PyTorch of a model in NumPy, whose state_dict is `state`; copies."""
    found = {}
    for name, theirs in names(state).items():
        array = state[name].T if name.endswith("projection.weight") else state[name]
        for their, part in zip(theirs, np.split(array, len(theirs)), strict=True):
            found[their] = torch.from_numpy(part.copy())
    found["output_projection.weight"] = found["embedding.weight"]
    return found


def to_numpy(state: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """The way back; copies."""
    found = {}
    for name, theirs in names(state).items():
        array = torch.cat([state[their].detach().cpu() for their in theirs]).numpy()
        found[name] = array.T if name.endswith("projection.weight") else array
    return found


def names(state: Mapping) -> dict[str, list[str]]:
    """The name of each array in NumPy -> the names of its parts in PyTorch.

    state: that of a model of either kind, which tells how many layers there are.
    """
    found = {
        "embedding.table": ["embedding.weight"],
        "positions.table": ["positions.embedding.weight"],
    }

    def add_linear(ours: str, *theirs: str) -> None:
        for kind in ("weight", "bias"):
            found[f"{ours}.{kind}"] = [f"{their}.{kind}" for their in theirs]

    def add_norm(ours: str, their: str) -> None:
        found[f"{ours}.gain"], found[f"{ours}.shift"] = [f"{their}.weight"], [f"{their}.bias"]

    for layer in range(sum(name.endswith("down_projection.weight") for name in state)):
        ours, theirs = f"blocks.{layer}", f"blocks.layers.{layer}"
        inner = f"{theirs}.attention.inner"
        qkv = (f"{inner}.{part}_projection" for part in ("query", "key", "value"))
        add_linear(f"{ours}.attention.input_projection", *qkv)
        add_linear(f"{ours}.attention.output_projection", f"{inner}.output_projection")
        for part in ("up_projection", "down_projection"):
            add_linear(f"{ours}.{part}", f"{theirs}.feed_forward.inner.{part}")
        for part in ("attention", "feed_forward"):
            add_norm(f"{ours}.{part}_norm", f"{theirs}.{part}.norm")
    add_norm("norm", "blocks.norm")
    return found
