"""Batches: one epoch is a random order of all examples, cut into pieces."""

from collections.abc import Iterator

import numpy as np


def batches(
    count: int, batch_size: int, rng: np.random.Generator, smallest: int = 1
) -> Iterator[np.ndarray]:
    """Yield index arrays (int64) that together hold each of 0 .. count - 1 once, in random order.

    The last batch is smaller where batch_size does not divide count. One of fewer than `smallest`
    is left out, as PyTorch's drop_last does: other examples each time, since the order is random.
    All randomness is drawn before the first batch.
    """
    if count < smallest or batch_size < smallest:
        raise ValueError(
            f"batches: expected at least {smallest} examples and a batch size of at least"
            f" {smallest}, found {count} and {batch_size}"
        )
    order = rng.permutation(count)
    for start in range(0, count, batch_size):
        if count - start < smallest:
            return
        yield order[start : start + batch_size]


def batch_count(count: int, batch_size: int, smallest: int = 1) -> int:
    """How many batches an epoch has."""
    whole, rest = divmod(count, batch_size)
    return whole + (rest >= smallest)
