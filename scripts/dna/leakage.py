"""What one sequence says of another: equal ones, contradictions, near duplicates, a fair split."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dna.sequences import PAD, UNKNOWN, known_rows
from pipeline.seeds import generator

WORD = 16  # letters of a word: two bits each, so that it fits into 32
NEAR = 0.5  # share of its words that makes a row a near duplicate
MOST_WORDS = 20_000_000  # of a split; of more, a sample is taken
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


def _words(x: np.ndarray, scale: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(words uint32 (M,), their rows (M,)) of blocks of tokens x (N, L), without unknown letters.

    A word and its reverse complement are one: the smaller number of both. Of each `scale` different
    words, one is kept, the same in all rows.
    """
    for begin in range(0, len(x), _BLOCK):
        block = x[begin : begin + _BLOCK]
        places = max(block.shape[1] - WORD + 1, 0)
        forward = np.zeros((len(block), places), np.uint32)
        backward, known = forward.copy(), np.ones(forward.shape, bool)
        for i in range(WORD):
            letters = block[:, i : i + places].astype(np.uint32)
            known &= letters < UNKNOWN
            forward = (forward << 2) | (letters & 3)
            backward |= (3 - (letters & 3)) << np.uint32(2 * i)
        rows, at = np.nonzero(known)
        words = np.minimum(forward, backward)[rows, at]
        # Knuth's multiplicative hash spreads them evenly.
        kept = words * np.uint32(2654435761) <= np.uint32((2**32 - 1) // scale)
        yield words[kept], begin + rows[kept]


def near_duplicates(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Bool (N,): the rows of x (N, L) that share half of their words with others (M, L'), or more.

    A word is 16 letters of either strand. A row counts that has about 4 % other letters, or that
    overlaps another by half, but no row that has a few words of common repeats.
    """
    scale = 1 + max(int((rows != PAD).sum()) for rows in (x, others)) // MOST_WORDS
    found = [words for words, _ in _words(others, scale)]
    known = np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint32)
    all_, shared = np.zeros(len(x)), np.zeros(len(x))
    for words, rows in _words(x, scale) if len(known) else ():
        at = np.minimum(np.searchsorted(known, words), len(known) - 1)
        all_ += np.bincount(rows, minlength=len(x))
        shared += np.bincount(rows, known[at] == words, minlength=len(x))
    return (all_ > 0) & (shared >= NEAR * all_)


def near_pairs(x: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows of x's val and test (N, L) are near duplicates of rows in an earlier split."""
    return {f"{a}_in_{b}": int(near_duplicates(x[a], x[b]).sum()) for a, b in PAIRS}
