"""Independent random streams from one seed, each with a name of its own."""

import zlib

import numpy as np


def generator(seed: int, *stream: str | int) -> np.random.Generator:
    """The generator of the stream that `stream` names under `seed`.

    Streams of different names are independent (NumPy's SeedSequence), so that drawing more numbers
    for, say, augmentation never changes the initial weights. Stable across machines and runs.
    """
    return np.random.default_rng([seed, *(zlib.crc32(str(part).encode()) for part in stream)])
