"""Learning-rate schedules: the factor on the peak rate at each step."""

import math
from collections.abc import Callable


def one_cycle(
    total_steps: int,
    warmup_steps: int,
    decay: str = "cosine",
    final: float = 0.0,
    constant_steps: int = 0,
) -> Callable[[int], float]:
    """Linear warm-up to 1, perhaps a while at 1, then a decay to `final`: the function that gives a
    step its factor.

    Steps count from 0. The warm-up gives step s the factor (s + 1) / warmup_steps, so that the
    first step already learns; the last step, total_steps - 1, gets `final` exactly. With final = 0
    that step learns nothing, unless total_steps is one more than there are.
    constant_steps: those at 1 between warm-up and decay (Hägele et al. 2024).
    decay: "cosine" (Loshchilov and Hutter 2017, SGDR, equation 5 without restarts) or "linear"
    (Smith 2018, super-convergence). Raises ValueError for any other, or if warmup_steps and
    constant_steps are not below total_steps. Leaves out restarts and a cycled momentum.
    """
    if decay not in ("cosine", "linear"):
        raise ValueError(f"decay: expected 'cosine' or 'linear', found {decay!r}")
    start = warmup_steps + constant_steps
    if min(warmup_steps, constant_steps) < 0 or start >= total_steps:
        raise ValueError(
            f"{warmup_steps} steps of warm-up and {constant_steps} at the peak do not fit into"
            f" {total_steps}"
        )

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        progress = min(max(0.0, step - start + 1) / (total_steps - start), 1.0)
        if decay == "cosine":
            remaining = 0.5 * (1.0 + math.cos(math.pi * progress))
        else:
            remaining = 1.0 - progress
        return final + (1.0 - final) * remaining

    return factor
