"""How many nats a language model needs for a text, token by token."""

from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_nn.eval_mode import evaluating
from torch_nn.gpt import GPT

Window = tuple[Sequence[int], Sequence[int], int]  # inputs (T,), targets (T,), counted


def window_nats(
    model: GPT, windows: Iterable[Window], batch_size: int = 32
) -> tuple[Tensor, Tensor]:
    """The negative log-likelihood of each window's counted targets, in float32 arithmetic.

    windows: (inputs (T,), targets (T,), counted), integers in any form that torch.as_tensor reads;
    the last `counted` targets count. Without dropout; afterwards the model is in the mode of
    before.
    Returns nats float64 (W,) and counted int64 (W,) of W windows, on the CPU.
    """
    device = next(model.parameters()).device
    nats, counts = [], []
    with evaluating(model):
        for batch in _batches(windows, batch_size):
            inputs = torch.stack([torch.as_tensor(inputs) for inputs, _, _ in batch])  # (B, T)
            targets = torch.stack([torch.as_tensor(targets) for _, targets, _ in batch])  # (B, T)
            losses = token_nats(model(inputs.to(device)), targets.to(device))  # (B, T)
            for row, (_, _, counted) in zip(losses, batch, strict=True):
                nats.append(row[-counted:].double().sum().item())
                counts.append(counted)
    return torch.tensor(nats, dtype=torch.float64), torch.tensor(counts, dtype=torch.int64)


def token_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """-log softmax(logits)[target]: logits (B, T, V), targets (B, T) -> (B, T) float32."""
    flat = logits.float().flatten(0, 1)  # (B * T, V)
    losses = F.cross_entropy(flat, targets.flatten(), reduction="none")  # (B * T,)
    return losses.view_as(targets)  # (B, T)


def _batches(windows: Iterable[Window], batch_size: int) -> Iterator[list[Window]]:
    """Windows that follow each other and have one length, at most batch_size together."""
    batch: list[Window] = []
    for window in windows:
        if batch and (len(batch) == batch_size or len(batch[0][0]) != len(window[0])):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
