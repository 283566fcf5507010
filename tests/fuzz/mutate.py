"""Mutations of bytes, drawn by one seed: the same seed and number give the same input again."""

import random
from collections.abc import Sequence

INTERESTING = (
    *(value.to_bytes(size, order) for size in (1, 2, 4, 8) for order in ("little", "big")
      for value in (0, 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 1, (1 << 8 * size) - 1)),
    (2**40).to_bytes(8, "little"), b"1099511627776", b"-1", b"1e999", b"NaN", b"\xff\xfe",
    b"\xed\xa0\x80", b"../", b"/etc/passwd", b"\0", b"\n", b"'", b'"', b"{", b"[" * 2000, b"}",
    b"!!python/object/apply:os.system", b"&a [*a]", b"cos\nsystem\n", b"True", b"null", b"(2**40,)",
)  # fmt: skip
LARGEST = 20_000


def mutated(seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """One of `seeds` after 1 to 8 random edits; rarely bytes that come from no seed."""
    if rng.random() < 0.02:
        return rng.randbytes(rng.randrange(64))
    data = bytearray(rng.choice(seeds))
    for _ in range(1 + min(int(rng.expovariate(0.7)), 7)):
        _edit(data, seeds, rng)
    return bytes(data[:LARGEST])


def _edit(data: bytearray, seeds: Sequence[bytes], rng: random.Random) -> None:
    """One edit, in place."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + 1 + int(rng.expovariate(0.1)))
    kind = rng.randrange(8)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and at < len(data):
        data[at] = rng.randrange(256)
    elif kind == 2:
        del data[at:end]
    elif kind == 3:
        data[at:at] = data[at:end] * rng.choice((1, 2, 50))
    elif kind == 4:
        data[at:at] = rng.choice(INTERESTING)
    elif kind == 5:
        chosen = rng.choice(INTERESTING)
        data[at : at + len(chosen)] = chosen
    elif kind == 6:
        other = rng.choice(seeds)
        start = rng.randrange(len(other) + 1)
        data[at:] = other[start:]
    else:
        del data[at:]
