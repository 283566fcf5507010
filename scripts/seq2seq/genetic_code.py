"""The standard genetic code, and reading frames drawn from it.

Source: NCBI, The Genetic Codes, translation table 1 (Elzanowski and Ostell); "*" is a stop.
"""

import numpy as np

from pipeline.seeds import generator

STOP = "*"
CODE = {
    "TTT": "F", "TTC": "F", "TTA": "L", "TTG": "L",
    "TCT": "S", "TCC": "S", "TCA": "S", "TCG": "S",
    "TAT": "Y", "TAC": "Y", "TAA": "*", "TAG": "*",
    "TGT": "C", "TGC": "C", "TGA": "*", "TGG": "W",
    "CTT": "L", "CTC": "L", "CTA": "L", "CTG": "L",
    "CCT": "P", "CCC": "P", "CCA": "P", "CCG": "P",
    "CAT": "H", "CAC": "H", "CAA": "Q", "CAG": "Q",
    "CGT": "R", "CGC": "R", "CGA": "R", "CGG": "R",
    "ATT": "I", "ATC": "I", "ATA": "I", "ATG": "M",
    "ACT": "T", "ACC": "T", "ACA": "T", "ACG": "T",
    "AAT": "N", "AAC": "N", "AAA": "K", "AAG": "K",
    "AGT": "S", "AGC": "S", "AGA": "R", "AGG": "R",
    "GTT": "V", "GTC": "V", "GTA": "V", "GTG": "V",
    "GCT": "A", "GCC": "A", "GCA": "A", "GCG": "A",
    "GAT": "D", "GAC": "D", "GAA": "E", "GAG": "E",
    "GGT": "G", "GGC": "G", "GGA": "G", "GGG": "G",
}  # fmt: skip
SENSE = tuple(codon for codon, acid in CODE.items() if acid != STOP)
STOPS = tuple(codon for codon, acid in CODE.items() if acid == STOP)
START = "ATG"
NUCLEOTIDES = "ACGT"
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


def translate(frame: str) -> str:
    """The protein of a reading frame: its codons up to the first stop, which is not written.

    Raises ValueError for a length that is no multiple of 3, for a letter other than A, C, G, T, or
    for a frame without a stop codon.
    """
    if len(frame) % 3:
        raise ValueError(f"a reading frame has 3 nucleotides per codon, found {len(frame)}")
    protein: list[str] = []
    for start in range(0, len(frame), 3):
        codon = frame[start : start + 3]
        if codon not in CODE:
            raise ValueError(f"no codon of A, C, G, T: {codon!r} at {start}")
        if CODE[codon] == STOP:
            return "".join(protein)
        protein.append(CODE[codon])
    raise ValueError("a reading frame ends with a stop codon, found none")


def random_frames(
    number: int, shortest: int, longest: int, seed: int, *, unlike: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """Draw `number` pairs (frame, protein) whose proteins differ from each other and from `unlike`.

    A frame is ATG, random sense codons (each of the 61 with equal chance) and a stop codon; its
    protein has shortest..longest amino acids, the methionine included, each length with equal
    chance. Different proteins make different frames. Raises ValueError if so many distinct
    proteins do not turn up, because the lengths are too small for the number.
    """
    random = generator(seed, "random_frames")
    pairs: list[tuple[str, str]] = []
    seen = set(unlike)
    for _ in range(20 * number + 100):
        if len(pairs) == number:
            break
        length = random.integers(shortest, longest + 1)
        codons = [SENSE[i] for i in random.integers(len(SENSE), size=length - 1)]
        frame = START + "".join(codons) + STOPS[random.integers(len(STOPS))]
        protein = translate(frame)
        if protein not in seen:
            seen.add(protein)
            pairs.append((frame, protein))
    if len(pairs) < number:
        raise ValueError(
            f"expected {number} different proteins of {shortest} to {longest} amino acids, "
            f"found {len(pairs)}: ask for fewer or for longer ones"
        )
    return pairs


def codon_coverage(frames: list[str]) -> int:
    """How many of the 64 codons occur in `frames`, in frame."""
    return len({frame[i : i + 3] for frame in frames for i in range(0, len(frame), 3)})


# Tokens of the translation task. Both sides know padding; the target also starts and ends.
SOURCE_PAD = 4
TARGET_PAD, TARGET_START, TARGET_END = 20, 21, 22
SOURCE_VOCABULARY, TARGET_VOCABULARY = 5, 23


def encode_frames(frames: list[str], length: int) -> np.ndarray:
    """Nucleotide tokens uint8 (N, length): A, C, G, T = 0..3, padding 4 on the right."""
    encoded = np.full((len(frames), length), SOURCE_PAD, np.uint8)
    for row, frame in zip(encoded, frames, strict=True):
        row[: len(frame)] = [NUCLEOTIDES.index(letter) for letter in frame]
    return encoded


def encode_proteins(proteins: list[str], length: int) -> np.ndarray:
    """Target tokens uint8 (N, length + 2): start, amino acids 0..19, end, then padding."""
    encoded = np.full((len(proteins), length + 2), TARGET_PAD, np.uint8)
    for row, protein in zip(encoded, proteins, strict=True):
        acids = [AMINO_ACIDS.index(letter) for letter in protein]
        row[: len(acids) + 2] = [TARGET_START, *acids, TARGET_END]
    return encoded


def decode_frame(tokens: np.ndarray) -> str:
    """The letters of one row of `encode_frames`."""
    return "".join(NUCLEOTIDES[token] for token in tokens if token != SOURCE_PAD)


def decode_protein(tokens: np.ndarray) -> str:
    """The amino acids of one row of target tokens up to the first end; start is left out.

    Padding before the end, which a model may produce, is written "-", a second start "^".
    """
    letters = []
    for place, token in enumerate(tokens):
        if token == TARGET_END:
            break
        if not (place == 0 and token == TARGET_START):
            letters.append((AMINO_ACIDS + "-^")[token])
    return "".join(letters)
