"""Independent random streams from one seed, each with a name of its own."""

import zlib
from functools import lru_cache

import numpy as np


def generator(seed: int, *stream: str | int) -> np.random.Generator:
    """The generator of the stream that `stream` names under `seed`.

    Streams of different names are independent (NumPy's SeedSequence), so that drawing more numbers
    for, say, augmentation never changes the initial weights. Stable across machines and runs.
    """
    return np.random.default_rng([seed, *(zlib.crc32(str(part).encode()) for part in stream)])


@lru_cache(maxsize=1)
def shuffled(examples: int, seed: int, epoch: int, stream: str = "batches") -> np.ndarray:
    """The order of the examples in an epoch: int64 (examples,), the same whenever it is asked for.

    A step takes its batch as a slice, so that a resumed training needs no state of a loader:

        epoch, position = divmod(step, per_epoch)
        batch = shuffled(len(x), seed, epoch)[position * batch_size :][:batch_size]
    """
    return generator(seed, stream, epoch).permutation(examples)
