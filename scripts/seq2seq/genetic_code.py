"""The standard genetic code, and reading frames drawn from it.

Source: NCBI, The Genetic Codes, translation table 1 (Elzanowski and Ostell); "*" is a stop.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from pipeline.errors import InputError
from pipeline.seeds import generator

STOP = "*"
# NCBI's line: codons in the order T, C, A, G of the first base, then the second, then the third.
ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
CODE = dict(zip(map("".join, product("TCAG", repeat=3)), ACIDS, strict=True))
SENSE = tuple(codon for codon, acid in CODE.items() if acid != STOP)
STOPS = tuple(codon for codon, acid in CODE.items() if acid == STOP)
START = "ATG"
NUCLEOTIDES = "ACGT"
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
# Tokens of the translation task. Both sides know padding; the target also starts and ends.
SOURCE_PAD = 4
TARGET_PAD, TARGET_START, TARGET_END = 20, 21, 22
SOURCE_VOCABULARY, TARGET_VOCABULARY = 5, 23


def codons(frame: str) -> list[str]:
    """Threes of letters from the first on."""
    return [frame[start : start + 3] for start in range(0, len(frame), 3)]


def translate(frame: str) -> str:
    """The protein of a reading frame: its codons up to the first stop, which is not written.

    Raises ValueError for a length that is no multiple of 3, for a letter other than A, C, G, T, or
    for a frame without a stop codon.
    """
    acids = "".join(CODE.get(codon, "?") for codon in codons(frame))
    protein, stop, _ = acids.partition(STOP)
    if "?" in acids or not stop:
        raise ValueError(f"expected codons of A, C, G, T and a stop codon, found {frame!r}")
    return protein


def random_frames(number: int, shortest: int, longest: int, seed: int) -> list[tuple[str, str]]:
    """Draw `number` pairs (frame, protein) whose proteins all differ.

    A frame is ATG, random sense codons (each of the 61 with equal chance) and a stop codon; its
    protein has shortest..longest amino acids, the methionine included, each length with equal
    chance. Different proteins make different frames. Raises InputError if so many distinct
    proteins do not turn up, because the lengths are too small for the number.
    """
    random = generator(seed, "random_frames")
    frames: dict[str, str] = {}  # by protein, in the order of drawing
    for _ in range(20 * number + 100):
        if len(frames) == number:
            break
        length = random.integers(shortest, longest + 1)
        sense = [SENSE[i] for i in random.integers(len(SENSE), size=length - 1)]
        frame = START + "".join(sense) + STOPS[random.integers(len(STOPS))]
        frames.setdefault(translate(frame), frame)
    if len(frames) < number:
        wanted = f"{number} different proteins of {shortest} to {longest} amino acids"
        raise InputError(
            f"train, val, test: expected {wanted}, found {len(frames)}. Ask for fewer."
        )
    return [(frame, protein) for protein, frame in frames.items()]


def codon_coverage(frames: Sequence[str]) -> int:
    """How many of the 64 codons occur in `frames`, in frame."""
    return len(set().union(*map(codons, frames)))


def encode_frames(frames: Sequence[str], length: int) -> np.ndarray:
    """Nucleotide tokens uint8 (N, length): A, C, G, T = 0..3, padding 4 on the right."""
    encoded = np.full((len(frames), length), SOURCE_PAD, np.uint8)
    for row, frame in zip(encoded, frames, strict=True):
        row[: len(frame)] = [NUCLEOTIDES.index(letter) for letter in frame]
    return encoded


def encode_proteins(proteins: Sequence[str], length: int) -> np.ndarray:
    """Target tokens uint8 (N, length + 2): start, amino acids 0..19, end, then padding."""
    encoded = np.full((len(proteins), length + 2), TARGET_PAD, np.uint8)
    for row, protein in zip(encoded, proteins, strict=True):
        acids = [AMINO_ACIDS.index(letter) for letter in protein]
        row[: len(acids) + 2] = [TARGET_START, *acids, TARGET_END]
    return encoded


def decode_frame(tokens: Sequence[int]) -> str:
    """The letters of one row of `encode_frames`."""
    return "".join(NUCLEOTIDES[token] for token in tokens if token != SOURCE_PAD)


def decode_protein(tokens: Sequence[int]) -> str:
    """The amino acids of one row of target tokens up to the first end; start is left out.

    Padding before the end, which a model may produce, is written "-", a second start "^".
    """
    tokens = list(tokens)
    first = 1 if tokens[:1] == [TARGET_START] else 0
    end = tokens.index(TARGET_END) if TARGET_END in tokens else None
    return "".join((AMINO_ACIDS + "-^")[token] for token in tokens[first:end])
