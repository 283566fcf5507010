"""The standard genetic code against the codons of each amino acid, and worked examples."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from seq2seq import genetic_code as gc

# The codons of each amino acid, as IUPAC's letters for sets of bases write them.
SETS = {"N": "TCAG", "R": "AG", "Y": "TC", "H": "TCA"}
CODONS = {
    "A": "GCN", "C": "TGY", "D": "GAY", "E": "GAR", "F": "TTY", "G": "GGN", "H": "CAY",
    "I": "ATH", "K": "AAR", "L": "CTN TTR", "M": "ATG", "N": "AAY", "P": "CCN", "Q": "CAR",
    "R": "CGN AGR", "S": "TCN AGY", "T": "ACN", "V": "GTN", "W": "TGG", "Y": "TAY", "*": "TAR TGA",
}  # fmt: skip


def test_all_64_codons_by_amino_acid():
    for acid, patterns in CODONS.items():
        bases = [[SETS.get(letter, letter) for letter in pattern] for pattern in patterns.split()]
        expected = {"".join(codon) for pattern in bases for codon in product(*pattern)}
        assert {codon for codon, found in gc.CODE.items() if found == acid} == expected
    assert len(gc.CODE) == 64 and len(gc.SENSE) == 61 and set(gc.STOPS) == {"TAA", "TAG", "TGA"}


def test_degeneracy():
    counts = Counter(gc.CODE[codon] for codon in gc.SENSE)
    assert Counter(counts.values()) == {1: 2, 2: 9, 3: 1, 4: 5, 6: 3}
    assert {acid for acid, n in counts.items() if n == 1} == {"M", "W"}
    assert sorted(counts) == list(gc.AMINO_ACIDS)


def test_the_start_of_human_insulin():
    frame = "ATGGCCCTGTGGATGCGCCTCCTGCCCCTGCTGGCGCTGCTGGCCCTCTGGGGACCTGACCCAGCCGCAGCC"
    assert gc.translate(frame + "TAG") == "MALWMRLLPLLALLALWGPDPAAA"


@pytest.mark.parametrize("frame", ["ATGTA", "ATGNNNTAA", "ATGGCC", "atgtaa"])
def test_what_is_no_reading_frame(frame):
    with pytest.raises(ValueError):
        gc.translate(frame)


def test_random_frames():
    pairs = gc.random_frames(300, 3, 6, seed=1)
    proteins = [protein for _, protein in pairs]
    assert len(set(proteins)) == 300
    assert {len(protein) for protein in proteins} == {3, 4, 5, 6}
    for frame, protein in pairs:
        assert frame.startswith("ATG") and gc.translate(frame) == protein
        assert len(frame) == 3 * (len(protein) + 1)
    assert gc.random_frames(300, 3, 6, seed=1) == pairs
    assert gc.codon_coverage([frame for frame, _ in pairs]) == 64
    with pytest.raises(ValueError, match="different proteins"):
        gc.random_frames(2, 1, 1, seed=1)


def test_tokens_come_back():
    frames, proteins = zip(*gc.random_frames(20, 2, 5, seed=2), strict=True)
    x, y = gc.encode_frames(frames, 18), gc.encode_proteins(proteins, 5)
    assert x.shape == (20, 18) and y.shape == (20, 7)
    assert [gc.decode_frame(row) for row in x] == list(frames)
    assert [gc.decode_protein(row) for row in y] == list(proteins)
    assert gc.decode_protein(np.array([0, gc.TARGET_PAD, gc.TARGET_START, gc.TARGET_END])) == "A-^"
