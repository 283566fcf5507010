"""How many nats a language model needs for a text, token by token."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from torch_nn.gpt import GPT


@torch.no_grad()
def window_nats(
    model: GPT, windows: Iterable[tuple[Sequence[int], Sequence[int], int]], batch_size: int = 32
) -> tuple[Tensor, Tensor]:
    """The negative log-likelihood of each window's counted targets, in float32 arithmetic.

    windows: (inputs (T,), targets (T,), counted), integers in whatever torch.as_tensor reads; the
    last `counted` targets count. Puts the model into eval mode for the call.
    Returns nats float64 (W,) and counted int64 (W,) of W windows, on the CPU.
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    nats, counts, batch = [], [], []

    def flush() -> None:
        inputs = torch.stack([torch.as_tensor(window[0]) for window in batch]).to(device)  # (B, T)
        targets = torch.stack([torch.as_tensor(window[1]) for window in batch]).to(device)  # (B, T)
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
    return torch.tensor(nats, dtype=torch.float64), torch.tensor(counts, dtype=torch.int64)


def token_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """-log softmax(logits)[target]: logits (B, T, V), targets (B, T) -> (B, T) float32."""
    losses = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view_as(targets)  # (B, T)
