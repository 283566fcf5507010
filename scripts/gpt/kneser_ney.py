"""Interpolated Kneser-Ney: the n-gram model that a neural language model has to beat.

Kneser and Ney 1995 in the interpolated form of Chen and Goodman 1999 (section 2.8), with a single
discount D, on symbols of 8 bits and a ninth for what is no byte. Of a symbol w after a history h of
k - 1 symbols, whose own history without its first symbol is h':

    p_k(w | h) = max(c(h w) - D, 0) / c(h) + D n(h) / c(h) p_{k-1}(w | h'),    p_0 = 1 / 257

c(h w): how often h w occurs; below the highest order instead how many different symbols precede it.
c(h): the sum of c(h w) over w; n(h): how many different w have one. A history that never occurs has
p_{k-1}(w | h').
"""

from collections.abc import Iterator

import numpy as np

SYMBOLS = 257  # the bytes, and the separator
BITS = 9
LONGEST = 63 // BITS
BLOCK = 4_000_000


class Counts:
    """How often each of some n-grams occurs, to be looked up for many n-grams at once.

    keys: n-grams int64 (M,), ascending; counts: int64 (M,).
    """

    def __init__(self, keys: np.ndarray, counts: np.ndarray):
        self.keys, self.counts = keys, counts
        histories = keys >> BITS
        first = np.flatnonzero(np.append(True, histories[1:] != histories[:-1]))
        self.histories = histories[first]
        self.totals = np.add.reduceat(counts, first)
        self.followers = np.diff(np.append(first, len(keys)))

    def look_up(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """c(h w), c(h) and n(h), int64 (N,) each, of n-grams (N,); 0 for what never occurs."""
        at, known = _find(self.histories, keys >> BITS)
        place, there = _find(self.keys, keys)
        counts = np.where(there, self.counts[place], 0)
        return counts, np.where(known, self.totals[at], 0), np.where(known, self.followers[at], 0)


def _find(ascending: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each `wanted` (N,) is, and whether it is there at all."""
    at = np.searchsorted(ascending, wanted).clip(max=len(ascending) - 1)
    return at, ascending[at] == wanted


def ngrams(symbols: np.ndarray, n: int) -> np.ndarray:
    """The n-gram that ends at each symbol from the n-th on: symbols (N,) -> int64 (N - n + 1,)."""
    keys = np.zeros(max(0, len(symbols) - n + 1), np.int64)
    for place in range(n):
        keys = keys << BITS | symbols[place : place + len(keys)]
    return keys


def _summed(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different keys, ascending, each with the sum of its counts."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[first], np.add.reduceat(counts[order], first)


def count(symbols: np.ndarray, n: int, block: int = BLOCK) -> tuple[np.ndarray, np.ndarray]:
    """The different n-grams of a stream, ascending, and how often each occurs.

    In blocks: memory grows with the number of different n-grams, not with the stream.
    """
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for start in range(0, len(symbols) - n + 1, block):
        found = np.unique(ngrams(symbols[start : start + block + n - 1], n), return_counts=True)
        pairs = zip((keys, counts), found, strict=True)
        keys, counts = _summed(*(np.concatenate(pair) for pair in pairs))
    return keys, counts


class KneserNey:
    """An n-gram model of a stream of symbols (N,), integers below SYMBOLS; 1 <= order <= 7.

    Raises ValueError for another order, or a stream that is shorter.
    """

    def __init__(self, symbols: np.ndarray, order: int, block: int = BLOCK):
        if not 1 <= order <= LONGEST or len(symbols) < order:
            raise ValueError(f"order {order} of {len(symbols)} symbols")
        keys, counts = count(symbols, order, block)
        self.levels = [Counts(keys, counts)]  # the highest order first
        for shorter in range(order - 1, 0, -1):
            # Each different n-gram is one symbol before what stays of it.
            ends = keys & (1 << BITS * shorter) - 1
            keys, counts = _summed(ends, np.ones_like(ends))
            self.levels.append(Counts(keys, counts))

    @property
    def order(self) -> int:
        return len(self.levels)

    @property
    def parameters(self) -> int:
        """The number of counts that are kept."""
        return sum(len(level.keys) for level in self.levels)

    def nats(
        self, symbols: np.ndarray, discounts: np.ndarray, block: int = BLOCK // 16
    ) -> Iterator[np.ndarray]:
        """-ln p of each symbol but the first, given those before it, under each discount.

        symbols (N,); discounts (D,) in (0, 1]. Yields blocks (D, B) in order, together (D, N - 1).
        The first symbols have a shorter history: others that occur nowhere stand before them.
        """
        before = np.full(self.order - 1, SYMBOLS)
        stream = np.concatenate([before, symbols.astype(np.int64)])
        discounts = discounts[:, None]  # (D, 1)
        for start in range(1, len(symbols), block):
            keys = ngrams(stream[start : start + block + self.order - 1], self.order)  # (B,)
            p = np.full((len(discounts), len(keys)), 1 / SYMBOLS)  # (D, B)
            for n, level in enumerate(reversed(self.levels), start=1):
                counts, totals, followers = level.look_up(keys & (1 << BITS * n) - 1)  # (B,) each
                kept = (counts - discounts).clip(min=0) + discounts * followers * p  # (D, B)
                p = np.where(totals, kept / totals.clip(min=1), p)
            yield -np.log(p)
