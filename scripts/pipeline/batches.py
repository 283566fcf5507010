"""Which examples a step trains on."""

from functools import lru_cache

import numpy as np

from pipeline.seeds import generator


@lru_cache(maxsize=1)
def shuffled(examples: int, seed: int, epoch: int, stream: str = "batches") -> np.ndarray:
    """The order of the examples in an epoch: int64 (examples,), the same whenever it is asked for.

    A step takes its batch as a slice, so that a resumed training needs no state of a loader:

        epoch, position = divmod(step, per_epoch)
        batch = shuffled(len(x), seed, epoch)[position * batch_size :][:batch_size]
    """
    return generator(seed, stream, epoch).permutation(examples)
