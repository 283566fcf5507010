"""A training step of the DNA encoder beside one around torch's nn.TransformerEncoder.

    python benchmarks/dna_speed.py --out dna_speed.csv                          (or: make bench)

The shape is that of config.yaml for core promoters with a TATA box, a batch 64 sequences of 70
letters. The peer is our classifier with nn.TransformerEncoder in place of our layers: the same
embedding, stem, positions, pooling and head, the same dropout, none of the attention weights, so
that both run PyTorch's fused attention. nn.Dropout draws the peer's masks; ours is
torch_nn.dropout. Both take a step of AdamW with a clipped gradient.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import yaml
from side_by_side import Case, main
from torch import Tensor, nn

from dna.model import build
from dna.settings import Model
from torch_nn.optimisation import clipped_step

CONFIG = Path(__file__).resolve().parents[1] / "config" / "config.yaml"
DATASET = "gue/prom_core_tata"
BATCH, LENGTH, CLASSES = 64, 70, 2


class TorchEncoder(nn.Module):
    """torch's encoder of a shape, called as ours is: x (B, P, C) without padding."""

    def __init__(self, shape: Model):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            shape.d_model, shape.n_heads, shape.d_ff, shape.dropout,
            activation="gelu", batch_first=True, norm_first=True,
        )  # fmt: skip
        layer.self_attn.dropout = 0.0
        norm = nn.LayerNorm(shape.d_model)
        self.encoder = nn.TransformerEncoder(
            layer, shape.n_layers, norm, enable_nested_tensor=False
        )

    def forward(
        self, x: Tensor, mask: None, need_weights: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        return self.encoder(x), []  # (B, P, C)


def step(model: nn.Module, tokens: Tensor, labels: Tensor) -> Callable[[], object]:
    """A training step on tokens (B, T), labels (B,), as dna.train takes it."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.05)

    def call() -> None:
        loss = nn.functional.cross_entropy(model(tokens), labels)
        clipped_step(model, optimizer, loss, 1e-3, clip=1.0)

    return call


def cases() -> Iterator[Case]:
    torch.manual_seed(0)
    settings = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["dna"]["settings"]
    shape = Model(**settings[DATASET]["model"])
    tokens, labels = torch.randint(4, (BATCH, LENGTH)), torch.randint(CLASSES, (BATCH,))
    ours, theirs = (build(shape, LENGTH, CLASSES) for _ in range(2))
    theirs.encoder = TorchEncoder(shape)
    work = f"training step, batch {BATCH}, {LENGTH} letters"
    steps = (step(model, tokens, labels) for model in (ours, theirs))
    yield Case(work, "nn.TransformerEncoder", *steps, BATCH, "sequences")


if __name__ == "__main__":
    main(__doc__, cases, ("torch",))
