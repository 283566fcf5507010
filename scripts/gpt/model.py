"""The room's model: built from its settings, and named."""

from gpt.settings import Model
from torch_nn.gpt import GPT


def build(shape: Model, vocab_size: int) -> GPT:
    """The GPT of this shape over `vocab_size` tokens, with fresh weights."""
    return GPT(vocab_size, **shape.model_dump())


def title(shape: Model) -> str:
    """What the leaderboard calls it: layers x heads x width."""
    return f"GPT {shape.n_layers}x{shape.n_heads}x{shape.d_model}"
