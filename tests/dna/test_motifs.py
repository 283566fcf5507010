"""Motifs: a planted word is found at any place, on both strands, and named only if it is known."""

import numpy as np
import pytest

from dna import known_motifs, motifs
from dna.find_motifs import affordable, named
from dna.sequences import PAD, complement, encode
from dna.settings import MotifsSpec

WORD = encode("CACGTT")  # no palindrome: its strands differ


def planted(word=WORD, rows=60, length=50, strands=True, place=None):
    """Tokens (N, L) with a word in each, on a random strand; their effects (N, L), in which the
    word's letters stand out; where it is, and on which strand."""
    random = np.random.default_rng(3)
    x = random.integers(0, 4, (rows, length)).astype(np.uint8)
    effects = random.normal(0, 0.1, (rows, length))
    begins = random.integers(0, length - len(word) + 1, rows)
    begins = np.full(rows, place) if place is not None else begins
    other = random.random(rows) < 0.5 if strands else np.zeros(rows, bool)
    for row, (begin, turned) in enumerate(zip(begins, other, strict=True)):
        x[row, begin : begin + len(word)] = complement(word)[::-1] if turned else word
        effects[row, begin : begin + len(word)] += 1
    return x, effects, begins, other


def letters(motif):
    return "".join("ACGT"[k] for k in motif.counts[motifs.FLANK : -motifs.FLANK].argmax(axis=1))


def strongest(motif, values):
    """Of each sequence, the value of the seqlet that mattered most."""
    order = np.argsort(motif.effect)
    found = dict(zip(motif.row[order], values[order], strict=True))
    return np.array([found[row] for row in sorted(found)])


def test_a_word_is_found_at_its_places_on_both_strands():
    x, effects, begins, other = planted()
    first, *rest = motifs.motifs(x, effects, both_strands=True, aligned=False, most=3)
    assert letters(first) in ("CACGTT", "AACGTG") and not rest
    assert set(first.row) == set(range(60))
    one = named(first, "own/x", both_strands=True)
    same = strongest(first, first.strand) == other
    assert same.all() or not same.any()
    assert (strongest(first, one.begins()) == begins).all()


def test_on_one_strand_the_other_is_not_read():
    x, effects, begins, _ = planted(strands=False)
    (first,) = motifs.motifs(x, effects, both_strands=False, aligned=False, most=3)
    assert letters(first) == "CACGTT" and not first.strand.any()
    assert (strongest(first, first.begin) + motifs.FLANK == begins).all()


def test_two_words_are_two_motifs_and_the_stronger_is_first():
    x, effects, *_ = planted(rows=80, strands=False)
    y, more, *_ = planted(encode("TGGCCA"), rows=40, strands=False)
    found = motifs.motifs(
        np.concatenate([x, y]), np.concatenate([effects, more]), False, False, most=3
    )
    assert [letters(motif) for motif in found] == ["CACGTT", "TGGCCA"]


def test_where_nothing_is_in_common_there_is_no_motif():
    random = np.random.default_rng(4)
    x = random.integers(0, 4, (60, 50)).astype(np.uint8)
    effects = random.normal(0, 1, (60, 50))
    assert motifs.motifs(x, effects, both_strands=True, aligned=False, most=3) == []
    assert motifs.motifs(x, -np.ones((60, 50)), both_strands=False, aligned=True, most=3) == []


def test_aligned_sequences_have_a_motif_of_one_place():
    x, effects, *_ = planted(encode("CA"), strands=False, place=20)
    first = motifs.motifs(x, effects, both_strands=False, aligned=True, most=1)[0]
    assert np.ptp(first.begin) == 0 and 20 - motifs.WIDTH + 2 <= first.begin[0] <= 20
    assert named(first, "gue/prom_core_all", False).known.name == "initiator"
    assert named(first, "own/x", False).known is None
    # A place that matters, whatever its letters are, is no motif.
    random = np.random.default_rng(6).integers(0, 4, x.shape).astype(np.uint8)
    assert motifs.motifs(random, effects, both_strands=False, aligned=True, most=1) == []


def test_it_occurs_where_the_word_is():
    x, effects, *_ = planted()
    (first,) = motifs.motifs(x, effects, both_strands=True, aligned=False, most=1)
    share = motifs.background(x, both_strands=True)
    assert motifs.occurs(x, first, True, share).mean() > 0.95
    others = np.random.default_rng(5).integers(0, 4, (300, 50)).astype(np.uint8)
    assert motifs.occurs(others, first, True, share).mean() < 0.2


def test_short_and_padded_sequences():
    x = np.full((12, motifs.WIDTH), PAD, np.uint8)
    effects = np.zeros(x.shape)
    x[:, :6], effects[:, :6] = WORD, 1.0
    (first,) = motifs.motifs(x, effects, both_strands=False, aligned=False, most=2)
    assert letters(first) == "CACGTT" and (first.begin == -motifs.FLANK).all()
    assert first.counts[: motifs.FLANK].sum() == 0
    share = np.full(4, 0.25)
    assert motifs.occurs(x[:, :6], first, False, share).all()
    assert not motifs.occurs(x[:, :3], first, True, share).any()


def counts(word, sharp=0.9):
    found = np.full((motifs.WIDTH, 4), 25.0)
    for at, letter in enumerate(word, motifs.FLANK):
        found[at] = 100 * (1 - sharp) / 3
        found[at, "ACGT".index(letter)] = 100 * sharp
    return found


@pytest.mark.parametrize(
    ("word", "name", "strand"),
    [
        ("TATAAAAG", "TATA box", False),
        ("CACGTG", "E-box of MYC", False),
        ("TGAGTCA", "AP-1 site", False),
        ("AAGGTAAGT", "splice donor", False),
        ("CTTTTATA", "TATA box", True),
    ],
)
def test_a_known_motif_has_its_name(word, name, strand):
    match = known_motifs.best_match(counts(word), "own/x", both_strands=True)
    assert (match.known.name, match.other_strand) == (name, strand) and match.score > 0.8
    if strand:
        assert known_motifs.best_match(counts(word), "own/x", both_strands=False) is None


def test_random_motifs_have_no_names():
    random = np.random.default_rng(0)
    words = ["".join(random.choice([*"ACGT"], 8)) for _ in range(60)]
    matches = [known_motifs.best_match(counts(word, 0.85), "own/x", True) for word in words]
    assert sum(match is not None for match in matches) <= 2


def test_what_is_read_is_limited_by_letters():
    spec = MotifsSpec(sequences=100, most_letters=1_000_000)
    assert affordable(spec, classes=2, length=30, both_strands=False) == 100
    assert affordable(spec, classes=2, length=100, both_strands=False) == 16
    assert affordable(spec, classes=2, length=100, both_strands=True) == 8
    assert affordable(spec, classes=2, length=5000, both_strands=False) == 1
