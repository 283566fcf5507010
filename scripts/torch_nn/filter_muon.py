"""Muon for the filters of convolutions (Jordan et al. 2024, airbench94_muon)."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from torch_nn.muon import orthogonalised


class FilterMuon(torch.optim.Optimizer):
    """For filters (C_out, C_in, k, k) whose outputs are normalised; each is a row of a matrix.

    m <- momentum m + g
    u  = orthogonalised(g + momentum m)                            (Nesterov's look ahead)
    W <- sqrt(C_out) W / |W| - lr u

    A normalisation makes the size of W meaningless, so W keeps that of a matrix with orthonormal
    rows: lr is then the angle of a step, and no weight decay is needed.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; every filter must have a gradient."""
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for weight in group["params"]:
                state = self.state[weight]
                if not state:
                    state["m"] = torch.zeros_like(weight)
                m = state["m"].mul_(momentum).add_(weight.grad)
                ahead = weight.grad.add(m, alpha=momentum)
                update = orthogonalised(ahead.flatten(1), steps=3).view_as(weight)
                weight.mul_(len(weight) ** 0.5 / weight.norm())
                weight.add_(update, alpha=-lr)
