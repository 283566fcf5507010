"""Batches: one epoch is a random order of all examples, cut into pieces."""

from collections.abc import Iterator

import numpy as np


def batches(count: int, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield index arrays (int64) that together hold each of 0 .. count - 1 once, in random order.

    The last batch is smaller where batch_size does not divide count. All randomness is drawn
    before the first batch.
    """
    if count < 1 or batch_size < 1:
        raise ValueError(
            f"expected at least 1 example and a batch size of 1, given {count} and {batch_size}"
        )
    order = rng.permutation(count)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


def batch_count(count: int, batch_size: int) -> int:
    """How many batches an epoch has."""
    return -(-count // batch_size)
