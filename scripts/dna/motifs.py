"""Motifs: what the letters that mattered most have in common.

A seqlet is a stretch of a sequence whose letters together had the largest effect on the answer.
Seqlets that share a word are aligned, and those that fit the alignment make the next one, until it
no longer changes; what is left over is aligned again. This is the idea of TF-MoDISco (Shrikumar et
al. 2018, arXiv:1811.00416) in its simplest form: one seed after another instead of a clustering.

Letters of the shape comments: N sequences, L letters, P seqlets, V views of a seqlet (a window at
each of its places, on each strand), W letters of a window and of a motif, S letters around a seqlet
in which its windows lie.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dna.sequences import PAD, UNKNOWN, VOCABULARY, complement
from pipeline.seeds import generator

CORE, PER_SEQUENCE = 8, 2  # letters by whose effects a seqlet is found; seqlets of a sequence
WORD, FLANK = 6, 4  # letters of a seed, and of a motif on each side of it
WIDTH = WORD + 2 * FLANK
SHIFT = 3  # places by which a seqlet may be off
ROUNDS = 10  # of an alignment, at most
LEAST_FIT = 5.0  # bits by which a seqlet must fit its motif better than the background
CERTAIN = 8.0  # bits by which a window must fit to be counted anywhere
LEAST_SHARP = 0.3  # bits of information at the clearest place of a motif of one place
SHUFFLES, ABOVE = 10, 1.5  # of letters; how far a motif is above what they have


class Seqlets(NamedTuple):
    """tokens (P, V, W); effect (P, V), the sum over a window's WORD letters in the middle; row
    (P,); begin (P, V), a window's first place in its sequence, below 0 before its first letter;
    strand (V,), whether a view is of the other strand."""

    tokens: np.ndarray
    effect: np.ndarray
    row: np.ndarray
    begin: np.ndarray
    strand: np.ndarray


class Motif(NamedTuple):
    """counts float64 (W, 4) of the letters of n aligned seqlets, and of each (n,): row, begin,
    strand and effect, as in Seqlets."""

    counts: np.ndarray
    row: np.ndarray
    begin: np.ndarray
    strand: np.ndarray
    effect: np.ndarray


def background(x: np.ndarray, both_strands: bool) -> np.ndarray:
    """The share of each letter (4,) among those of tokens x (N, L)."""
    count = np.bincount(x[x < UNKNOWN], minlength=4) + 1.0
    count += count[::-1] * both_strands
    return count / count.sum()


def strongest(effects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row, begin), (P,) each, of stretches of CORE letters: of each row of effects (N, L) the
    PER_SEQUENCE with the largest sums above 0 that do not overlap."""
    sums = sliding_window_view(effects, CORE, axis=1).sum(axis=2)  # (N, L - CORE + 1)
    found = []
    for row, of_one in enumerate(sums):
        for _ in range(PER_SEQUENCE):
            at = int(of_one.argmax())
            if of_one[at] > 0:
                found.append((row, at))
            of_one[max(at - CORE + 1, 0) : at + CORE] = 0
    row, begin = np.array(found, np.int64).reshape(-1, 2).T
    return row, begin


def seqlets(x: np.ndarray, effects: np.ndarray, both_strands: bool) -> Seqlets:
    """The strongest seqlets of tokens x (N, L), whose letters have `effects` (N, L)."""
    row, begin = strongest(effects)
    margin = FLANK + SHIFT
    places = begin[:, None] + np.arange(-margin, CORE + margin)  # (P, S)
    sides = ((0, 0), (margin, margin))
    tokens = np.pad(x, sides, constant_values=PAD)[row[:, None], places + margin]  # (P, S)
    effect = np.pad(effects, sides)[row[:, None], places + margin]  # (P, S)
    strands = [(tokens, effect, places)]
    if both_strands:
        # A window that is read backwards begins in its sequence where it ends here.
        strands.append((complement(tokens)[:, ::-1], effect[:, ::-1], places[:, ::-1] - WIDTH + 1))
    windows, middles, firsts = [], [], []
    for tokens, effect, places in strands:
        windows.append(sliding_window_view(tokens, WIDTH, axis=1))  # (P, S - W + 1, W)
        inner = sliding_window_view(effect[:, FLANK:-FLANK], WORD, axis=1)
        middles.append(inner.sum(axis=2))  # (P, S - W + 1)
        firsts.append(places[:, : windows[0].shape[1]])
    strand = np.repeat(np.arange(len(strands)) > 0, windows[0].shape[1])
    together = (np.concatenate(part, axis=1) for part in (windows, middles, firsts))
    tokens, effect, first = together
    return Seqlets(tokens, effect, row, first, strand)


def seed(found: Seqlets) -> np.ndarray | None:
    """The word, tokens (WORD,), whose effects are the largest, summed over the seqlets that have
    it; None if no effect is above 0."""
    words = found.tokens[:, :, FLANK : FLANK + WORD]  # (P, V, WORD)
    known = (words < UNKNOWN).all(axis=2) & (found.effect > 0)  # (P, V)
    seqlet, _ = np.nonzero(known)
    if not len(seqlet):
        return None
    # Each word once per seqlet, where its effect is the largest.
    number = words[known] @ 4 ** np.arange(WORD)
    pair, of_pair = np.unique(seqlet * 4**WORD + number, return_inverse=True)
    largest = np.zeros(len(pair))
    np.maximum.at(largest, of_pair, found.effect[known])
    best = int(np.bincount(pair % 4**WORD, largest).argmax())
    return best // 4 ** np.arange(WORD) % 4


def odds(counts: np.ndarray, share: np.ndarray, pseudocount: float = 2.0) -> np.ndarray:
    """log2 odds (W, VOCABULARY) of letters in a motif over the background `share` (4,); 0 for what
    is no letter. counts (W, 4); pseudocount: letters of the background that are added to them."""
    probability = counts + pseudocount * share
    probability /= probability.sum(axis=1, keepdims=True)
    found = np.zeros((len(counts), VOCABULARY))
    found[:, :4] = np.log2(probability / share)
    return found


def align(found: Seqlets, word: np.ndarray, share: np.ndarray) -> tuple[Motif, np.ndarray]:
    """The motif that begins as a word (WORD,), and which seqlets (P,) are its own.

    A seqlet has the view that fits best, of those that speak for the class.
    """
    counts = np.zeros((WIDTH, 4))
    counts[np.arange(FLANK, FLANK + WORD), word] = 10
    everywhere, view = np.arange(len(found.row)), None
    for _ in range(ROUNDS):
        fit = odds(counts, share)[np.arange(WIDTH), found.tokens].sum(axis=2)  # (P, V)
        fit[found.effect <= 0] = -np.inf
        before, view = view, np.where(fit.max(axis=1) < LEAST_FIT, -1, fit.argmax(axis=1))
        if np.array_equal(before, view):
            break
        own = everywhere[view >= 0]
        letters = found.tokens[own, view[own]][:, :, None] == np.arange(4)  # (n, W, 4)
        counts = letters.sum(axis=0).astype(float)
    at = own, view[own]
    where = found.row[own], found.begin[at], found.strand[view[own]], found.effect[at]
    return Motif(counts, *where), view >= 0


def at_one_place(x: np.ndarray, effects: np.ndarray) -> Motif:
    """The letters of tokens x (N, L) around the place where `effects` (N, L) are the largest, for
    sequences that are aligned to a site."""
    sums = np.convolve(effects.sum(axis=0), np.ones(CORE), "valid")  # (L - CORE + 1,)
    core = int(sums.argmax())
    begin = core - (WIDTH - CORE) // 2
    sides = ((0, 0), (WIDTH, WIDTH))
    window = np.pad(x, sides, constant_values=PAD)[:, begin + WIDTH :][:, :WIDTH]  # (N, W)
    counts = (window[:, :, None] == np.arange(4)).sum(axis=0).astype(float)
    rows = np.arange(len(x))
    effect = effects[:, core : core + CORE].sum(axis=1)
    return Motif(counts, rows, np.full_like(rows, begin), np.zeros(len(x), bool), effect)


def by_chance(x: np.ndarray, effects: np.ndarray, both_strands: bool, share: np.ndarray) -> float:
    """The largest sum of effects of a motif in tokens x (N, L) whose letters are shuffled within
    each sequence, while the effects (N, L) stay where they are."""
    random, largest = generator(0, "shuffled letters"), 0.0
    for _ in range(SHUFFLES):
        shuffled = x.copy()
        for row in shuffled:
            row[row != PAD] = random.permutation(row[row != PAD])
        found = seqlets(shuffled, effects, both_strands)
        if (word := seed(found)) is not None:
            largest = max(largest, align(found, word, share)[0].effect.sum())
    return largest


def sharpest(motif: Motif, share: np.ndarray) -> float:
    """The most information that a place of a motif has over the background `share` (4,), bits."""
    table = odds(motif.counts, share)[:, :4]
    return float((share * 2**table * table).sum(axis=1).max())


def motifs(
    x: np.ndarray, effects: np.ndarray, both_strands: bool, aligned: bool, most: int
) -> list[Motif]:
    """At most `most` motifs of tokens x (N, L), whose letters have `effects` (N, L) on the answer;
    that with the largest sum of effects first. What shuffled letters nearly have is none.

    aligned: the sequences are aligned to a site, where the first motif is looked for.
    """
    share = background(x, both_strands)
    chance, found = ABOVE * by_chance(x, effects, both_strands, share), []
    motif = at_one_place(x, effects)
    if aligned and motif.effect.sum() > chance and sharpest(motif, share) > LEAST_SHARP:
        found.append(motif)
        inner = motif.begin[0] + (WIDTH - CORE) // 2
        effects = effects.copy()
        effects[:, inner : inner + CORE] = 0
    left = seqlets(x, effects, both_strands)
    while len(found) < most and (word := seed(left)) is not None:
        motif, own = align(left, word, share)
        if motif.effect.sum() <= chance:
            break
        found.append(motif)
        rest = (part[~own] for part in left[:-1])
        left = Seqlets(*rest, left.strand)
    return sorted(found, key=lambda one: -one.effect.sum())


def occurs(x: np.ndarray, motif: Motif, both_strands: bool, share: np.ndarray) -> np.ndarray:
    """Which of tokens x (N, L) have a window that fits a motif by CERTAIN bits, bool (N,)."""
    table = odds(motif.counts, share)
    best = np.full(len(x), -np.inf)
    for rows in (x, complement(x)[:, ::-1])[: 1 + both_strands]:
        # As wide as a motif at least, however short the sequences are.
        padded = np.pad(rows, ((0, 0), (FLANK, WIDTH)), constant_values=PAD)
        windows = padded.shape[1] - WIDTH + 1
        fit = sum(table[j][padded[:, j : j + windows]] for j in range(WIDTH))  # (N, windows)
        best = np.maximum(best, fit.max(axis=1))
    return best >= CERTAIN
