"""What a loss does not say of a model's texts: are they varied, and are they its own?"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain

import numpy as np

# Words of the n-grams that are counted.
SIZES = (2, 3, 4)
# Characters of the training text that are sorted at once: some 200 MB.
BLOCK = 4_000_000


def distinct_ngrams(texts: Sequence[str], n: int) -> float:
    """How many different n-grams of words the texts have, as a share of all (Li et al. 2016).

    1 if no n words ever come twice. It falls with the number of words: compare texts of the same
    size. NaN without any n-gram.
    """
    words = [text.split() for text in texts]
    ngrams = [*chain.from_iterable(zip(*(w[i:] for i in range(n)), strict=False) for w in words)]
    return len({*ngrams}) / len(ngrams) if ngrams else float("nan")


def suffix_order(text: str, length: int) -> np.ndarray:
    """The starts of all suffixes of `text`, int64 (N,), in the order of their first characters, of
    `length` of them at least.

    Prefix doubling (Manber and Myers 1993): the rank of a start by its first 2 w characters is that
    of the pair (its rank by w characters, the rank of the start w further on).
    """
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)  # (N,)
    rank = 1 + np.unique(codes, return_inverse=True)[1]  # (N,); 0 is behind the end
    order, width = np.argsort(rank), 1
    while width < length and rank.max(initial=0) < len(rank):
        pair = rank * (rank.max() + 1)  # (N,)
        pair[:-width] += rank[width:]
        order = np.argsort(pair)  # (N,)
        ordered = pair[order]
        rank[order] = 1 + np.cumsum(np.append(False, ordered[1:] != ordered[:-1]))
        width *= 2
    return order


def longest_copies(texts: Sequence[str], source: str, block: int = BLOCK) -> list[int]:
    """Of each text the most characters in a row that are in `source` in a row, too.

    The source is sorted in blocks, so that memory does not grow with it; they overlap by the
    longest text, so that no copy is cut.
    """
    found = [0] * len(texts)
    longest = max(map(len, texts), default=0)
    for first in range(0, len(source), block):
        part = source[first : first + block + longest]
        order = suffix_order(part, longest)
        found = [_longest(text, part, order, best) for text, best in zip(texts, found, strict=True)]
    return found


def _longest(text: str, source: str, order: np.ndarray, best: int) -> int:
    """The longest copy in `text` from `source`, whose suffixes begin at `order`, or else `best`."""

    def occurs(wanted: str) -> bool:
        at = bisect_left(order, wanted, key=lambda start: source[start : start + len(wanted)])
        return at < len(order) and source.startswith(wanted, int(order[at]))

    for start in range(len(text)):
        while start + best < len(text) and occurs(text[start : start + best + 1]):
            best += 1
    return best


def figures(texts: Sequence[str], source: str | None) -> dict[str, float | int | None]:
    """The quality of texts: their words, distinct n-grams, copies from `source` in characters."""
    copies = longest_copies(texts, source) if source is not None else []
    distinct = {f"distinct_{n}": distinct_ngrams(texts, n) for n in SIZES}
    return {
        "words": sum(len(text.split()) for text in texts),
        **{name: None if share != share else share for name, share in distinct.items()},
        "longest_copy": max(copies, default=None),
        "median_copy": float(np.median(copies)) if copies else None,
    }
