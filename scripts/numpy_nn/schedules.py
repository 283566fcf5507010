"""Schedules: the learning rate at each step, as a function of the step and the whole length.

Every schedule is called with (step, steps), 0 <= step < steps, and returns a factor in [0, 1] that
multiplies the peak learning rate. It has no state, so that a resumed run needs nothing of it.
"""

import math
from collections.abc import Callable

Schedule = Callable[[int, int], float]


def constant(step: int, steps: int) -> float:
    """Always the peak."""
    return 1.0


def step_decay(step: int, steps: int, factor: float = 0.1, stages: int = 3) -> float:
    """`stages` stages of equal length; from each to the next the rate is multiplied by `factor`."""
    return factor ** (step * stages // steps)


def cosine(step: int, steps: int) -> float:
    """Half a cosine from the peak towards 0.

    Loshchilov and Hutter, SGDR, ICLR 2017, equation 5, without restarts.
    """
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def one_cycle(step: int, steps: int, warmup: float = 0.2) -> float:
    """Linear rise from near 0 to the peak over the share `warmup` of the steps, then a cosine fall.

    Smith and Topin, Super-Convergence, arXiv:1708.07120; the fall as in common practice.
    """
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return cosine(step - rise, max(1, steps - rise))


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "step": step_decay,
    "cosine": cosine,
    "one_cycle": one_cycle,
}
