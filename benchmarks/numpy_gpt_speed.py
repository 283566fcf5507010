"""The GPT by hand in NumPy beside its twin in PyTorch: training steps.

    python benchmarks/numpy_gpt_speed.py --out numpy_gpt_speed.csv              (or: make bench)

4 layers, 4 heads, 128 channels, context 64, batch 12, 65 tokens of vocabulary: nanoGPT's recipe for
CPUs, without dropout. The twin writes its attention out, too, in PyTorch eager. A step is forward,
loss, backward, clipping and AdamW.
"""

from collections.abc import Iterator

import numpy as np
import torch
from side_by_side import Case, main

from gpt.compare_twins import torch_step
from gpt.numpy_model import build, optimiser_of, train_step
from gpt.settings import Recipe, Shape
from gpt.twin import build_twin
from torch_nn.optimisation import decay_groups

SHAPE = Shape(context=64, n_layers=4, n_heads=4, d_model=128)
VOCABULARY, BATCH = 65, 12


def cases() -> Iterator[Case]:
    rng, recipe = np.random.default_rng(0), Recipe()
    tokens, targets = rng.integers(0, VOCABULARY, (2, BATCH, SHAPE.context))
    ours, theirs = build(SHAPE, VOCABULARY, rng), build_twin(SHAPE, VOCABULARY)
    optimiser = optimiser_of(ours, recipe)
    optimizer = torch.optim.AdamW(decay_groups(theirs, recipe.weight_decay), recipe.lr)
    batch = torch.from_numpy(tokens), torch.from_numpy(targets)
    yield Case(
        "training step, context 64, batch 12",
        "torch_nn, explicit attention",
        lambda: train_step(ours, optimiser, tokens, targets, recipe.clip),
        lambda: torch_step(theirs, optimizer, *batch, recipe.clip),
        1,
        "steps",
    )


if __name__ == "__main__":
    main(__doc__, cases)
