"""How many nats a language model needs for a text, token by token."""

from collections.abc import Iterable, Sequence
from itertools import groupby, islice

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_nn.eval_mode import evaluating
from torch_nn.language_model import LanguageModel

Window = tuple[Sequence[int], Sequence[int], int]  # inputs (T,), targets (T,), counted


def window_nats(
    model: LanguageModel, windows: Iterable[Window], batch_size: int = 32
) -> tuple[Tensor, Tensor]:
    """The negative log-likelihood of each window's counted targets, in float32 arithmetic.

    windows: (inputs (T,), targets (T,), counted), integers in any form that torch.as_tensor reads;
    the last `counted` targets count. The model comes back in the mode that it was in.
    Returns nats float64 (W,) and counted int64 (W,) of W windows, on the CPU.
    """
    device = next(model.parameters()).device
    nats: list[float] = []
    counts: list[int] = []
    with evaluating(model):
        for _, equally_long in groupby(windows, key=lambda window: len(window[0])):
            while batch := list(islice(equally_long, batch_size)):
                inputs, targets, counted = zip(*batch, strict=True)
                x = torch.stack([torch.as_tensor(row) for row in inputs])  # (B, T)
                y = torch.stack([torch.as_tensor(row) for row in targets]).to(device)  # (B, T)
                logits = model(x.to(device)).float().flatten(0, 1)  # (B * T, V)
                losses = F.cross_entropy(logits, y.flatten(), reduction="none")  # (B * T,)
                for row, last in zip(losses.view_as(y), counted, strict=True):
                    nats.append(row[-last:].double().sum().item())
                counts += counted
    return torch.tensor(nats, dtype=torch.float64), torch.tensor(counts, dtype=torch.int64)
