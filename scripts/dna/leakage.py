"""What one sequence says of another: equal ones, contradictions, near duplicates, a fair split."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dna.sequences import PAD, UNKNOWN, known_rows
from pipeline.seeds import generator

WORD, DOUBLED = 16, (1, 2, 4, 8)  # letters of a word: two bits each, so that it fits into 32
NEAR = 0.5  # share of its words that makes a row a near duplicate
MOST_WORDS = 4_000_000  # of a split; of more, a sample is taken
_BLOCK = 4096  # rows at a time
# The earlier splits with which each one is compared.
PAIRS = (("val", "train"), ("test", "train"), ("test", "val"))


def groups(x: np.ndarray) -> np.ndarray:
    """int64 (N,): a number for each row of x (N, L), the same for equal ones."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in x], np.int64)


def contradictory(group: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Bool (N,): the rows whose group (N,) has more than one label (N,)."""
    number = max(group.max(), 0) + 1
    low, high = np.full(number, label.max()), np.full(number, -1)
    np.minimum.at(low, group, label)
    np.maximum.at(high, group, label)
    return (low != high)[group]


def stratified_split(
    group: np.ndarray, label: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """int64 (N,): 1, 2, ... for the rows of each of `shares`, 0 for the rest.

    group, label (N,): whole groups stay together; each class (that of a group's first row) gives
    the same share of its groups, at least one, as long as one is left for the rest.
    """
    number, first = np.unique(group, return_index=True)
    part = np.zeros(len(number), np.int64)
    order = generator(seed, "stratified_split").permutation(len(number))
    of_class = label[first][order]
    for value in np.unique(of_class):
        mine, taken = order[of_class == value], 0
        for index, share in enumerate(shares, 1):
            many = min(int(np.ceil(share * len(mine))), len(mine) - 1 - taken)
            part[mine[taken : taken + many]] = index
            taken += many
    return part[np.searchsorted(number, group)]


def repeated(x: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows of x's val and test (N, L) are in an earlier split of `others` too."""
    return {f"{a}_in_{b}": int(known_rows(x[a], others[b]).sum()) for a, b in PAIRS}


class Words(NamedTuple):
    """Words of 16 letters, uint32 (M,), and the rows in which they are (M,)."""

    words: np.ndarray
    rows: np.ndarray


def words_of(x: np.ndarray, scale: int = 1) -> Words:
    """The words of tokens x (N, L) that have no unknown letter; a word and its reverse complement
    are one, the smaller number of both. Of each `scale` different words one is kept, the same in
    all rows.
    """
    found = []
    for begin in range(0, len(x), _BLOCK):
        forward = x[begin : begin + _BLOCK].astype(np.uint32)  # (B, L)
        known, forward = forward < UNKNOWN, forward & 3
        backward = 3 - forward
        for letters in DOUBLED:  # words of 1, 2, 4, 8 letters; two of them make one of twice that
            bits = np.uint32(2 * letters)
            forward = (forward[:, :-letters] << bits) | forward[:, letters:]
            backward = (backward[:, letters:] << bits) | backward[:, :-letters]
            known = known[:, :-letters] & known[:, letters:]
        words = np.minimum(forward, backward)  # (B, L - 15)
        # Knuth's multiplicative hash spreads them evenly.
        known &= words * np.uint32(2654435761) <= np.uint32((2**32 - 1) // scale)
        rows, at = np.nonzero(known)
        found.append(Words(words[rows, at], begin + rows))
    return Words(*map(np.concatenate, zip(*found, strict=True)))


def near(of: Words, known: np.ndarray, rows: int) -> np.ndarray:
    """Bool (rows,): the rows that have half of their words, or more, in `known`, sorted (M,)."""
    if not len(known):
        return np.zeros(rows, bool)
    at = np.minimum(np.searchsorted(known, of.words), len(known) - 1)
    every = np.bincount(of.rows, minlength=rows)
    shared = np.bincount(of.rows, known[at] == of.words, minlength=rows)
    return (every > 0) & (shared >= NEAR * every)


def near_pairs(x: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows of x's val and test (N, L) are near duplicates of rows in an earlier split.

    A near duplicate has half of its words of 16 letters, of either strand, in the other split: a
    row with about 4 % other letters, or one that overlaps others by half, but none that shares a
    common repeat.
    """
    scale = 1 + max(int((rows != PAD).sum()) for rows in x.values()) // MOST_WORDS
    found = {split: words_of(rows, scale) for split, rows in x.items()}
    known = {split: np.sort(found[split].words) for split in ("train", "val")}
    return {f"{a}_in_{b}": int(near(found[a], known[b], len(x[a])).sum()) for a, b in PAIRS}
