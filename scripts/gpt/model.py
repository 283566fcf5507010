"""The room's models: built from their settings, named, and given an optimizer."""

from functools import partial
from typing import Any

import torch

from gpt.settings import Model, Training
from torch_nn.gpt import GPT
from torch_nn.language_model import LanguageModel
from torch_nn.modern_gpt import ModernGPT
from torch_nn.muon import Muon
from torch_nn.optimisation import Optimizers, decay_groups

TITLES = {"gpt-2": "GPT", "llama": "Llama", "modern": "Modern GPT"}
LLAMA: dict[str, Any] = {
    "positions": "rotary",
    "norm": "rms",
    "activation": "swiglu",
    "bias": False,
    "tied": False,
}


def build(shape: Model, vocab_size: int) -> LanguageModel:
    """The model of this shape over `vocab_size` tokens, with fresh weights."""
    sizes = shape.model_dump(exclude={"architecture", "positions"})
    if shape.architecture == "modern":
        return ModernGPT(vocab_size, **sizes)
    options = LLAMA if shape.architecture == "llama" else {"positions": shape.positions}
    return GPT(vocab_size, **sizes, **options)


def title(shape: Model) -> str:
    """What the leaderboard calls it: layers x heads x width."""
    return f"{TITLES[shape.architecture]} {shape.n_layers}x{shape.n_heads}x{shape.d_model}"


def optimizer_of(model: LanguageModel, spec: Training) -> Optimizers:
    """AdamW for all; or Muon for the matrices of the blocks, and AdamW for all else, which then
    does not decay."""
    adamw = partial(torch.optim.AdamW, lr=spec.lr, betas=(spec.beta1, spec.beta2))
    if spec.optimizer == "adamw":
        return Optimizers(adamw(decay_groups(model, spec.weight_decay)))
    matrices = [parameter for parameter in model.blocks.parameters() if parameter.dim() == 2]
    others = [parameter for parameter in model.parameters() if parameter not in set(matrices)]
    muon = Muon(matrices, spec.muon_lr, weight_decay=spec.weight_decay)
    muon.param_groups[0]["lr_scale"] = spec.muon_lr / spec.lr
    return Optimizers(muon, adamw(others, weight_decay=0.0))
