"""How many nats a language model needs for a text, token by token."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from torch_nn.gpt import GPT


@torch.no_grad()
def window_nats(
    model: GPT, windows: Iterable[tuple[np.ndarray, np.ndarray, int]], batch_size: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """The negative log-likelihood of each window's counted targets, in float32 arithmetic.

    windows: (inputs (T,), targets (T,), counted) as covering_windows gives them; the last `counted`
    targets count. Puts the model into eval mode for the call.
    Returns nats float64 (W,) and counted int64 (W,), W windows.
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    nats, counts, batch = [], [], []

    def flush() -> None:
        inputs = torch.tensor(np.stack([window[0] for window in batch])).to(device)  # (B, T)
        targets = torch.tensor(np.stack([window[1] for window in batch])).to(device)  # (B, T)
        losses = token_nats(model(inputs), targets)  # (B, T)
        for row, (_, _, counted) in zip(losses, batch, strict=True):
            nats.append(row[-counted:].double().sum().item())
            counts.append(counted)
        batch.clear()

    for window in windows:
        if batch and (len(batch) == batch_size or len(batch[0][0]) != len(window[0])):
            flush()
        batch.append(window)
    if batch:
        flush()
    model.train(was_training)
    return np.array(nats), np.array(counts)


def token_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """-log softmax(logits)[target]: logits (B, T, V), targets (B, T) -> (B, T) float32."""
    losses = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view_as(targets)  # (B, T)
