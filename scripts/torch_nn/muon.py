"""Muon: momentum whose matrix is made orthogonal before each step (Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon)."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

# Coefficients of the quintic (Jordan et al. 2024): steep at 0, so that small singular values grow
# fast, at the price of ending between about 0.7 and 1.2 instead of at 1.
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest matrix with orthonormal rows or columns, roughly: matrix (m, n) -> (m, n).

    matrix = U S V^T;  X <- a X + b (X X^T) X + c (X X^T)^2 X  maps every singular value s to
    a s + b s^3 + c s^5 and leaves U and V alone. Repeated, this brings the values to about 1, so
    that the result is close to U V^T: Newton and Schulz's iteration, which needs only products.
    It starts from X / |X|, whose singular values are at most 1. float32 throughout; a matrix of
    zeros stays zero.
    """
    a, b, c = QUINTIC
    x = matrix.mT if matrix.size(0) > matrix.size(1) else matrix  # X X^T is then the smaller one
    x = x / (torch.linalg.matrix_norm(x) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if matrix.size(0) > matrix.size(1) else x


class Muon(torch.optim.Optimizer):
    """For the matrices (m, n) of hidden layers; embeddings, heads and vectors belong to AdamW.

    m <- momentum m + (1 - momentum) g
    u  = orthogonalised(momentum m + (1 - momentum) g)             (Nesterov's look ahead)
    W <- (1 - lr weight_decay) W - lr sqrt(max(1, rows / columns)) u

    A gradient's largest singular values come from what all examples have in common; the step gives
    every direction the same size, rare ones too. torch.optim.Muon is the same in bfloat16, which a
    processor without units for it multiplies many times slower.
    Raises ValueError for a parameter that is no matrix.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for group in self.param_groups:
            if odd := [tuple(p.shape) for p in group["params"] if p.dim() != 2]:
                raise ValueError(f"Muon steps matrices, found a parameter of shape {odd[0]}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; parameters without a gradient stay as they are."""
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["m"] = torch.zeros_like(weight)
                m = state["m"].lerp_(weight.grad, 1 - momentum)
                update = orthogonalised(weight.grad.lerp(m, momentum))
                rows, columns = weight.shape
                weight.mul_(1 - lr * group["weight_decay"])
                weight.add_(update, alpha=-lr * math.sqrt(max(1, rows / columns)))
