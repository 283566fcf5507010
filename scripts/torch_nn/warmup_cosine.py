"""The learning rate of language models: linear warm-up, then half a cosine."""

import math


def warmup_cosine(
    step: int, max_steps: int, lr: float, warmup_steps: int, min_lr_share: float = 0.1
) -> float:
    """The rate of step 0 <= step < max_steps (Loshchilov and Hutter 2017, eq. 5, one cycle).

    It rises linearly to lr at step warmup_steps - 1 and falls to min_lr_share * lr at the end.
    """
    if step < warmup_steps:
        return lr * (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, max_steps - 1 - warmup_steps)
    return lr * (min_lr_share + (1 - min_lr_share) * 0.5 * (1 + math.cos(math.pi * done)))
