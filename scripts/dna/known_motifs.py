"""Motifs that are known: consensus sequences in IUPAC letters, each with its source.

Y is C or T; R is A or G; W is A or T; S is C or G; K is G or T; M is A or C; N is any letter.
"""

from typing import NamedTuple

import numpy as np

IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT",
    "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
LEAST_MATCH = 0.65  # below it a motif has no name


class Known(NamedTuple):
    """A consensus and its source.

    among: how the names of the only data sets begin in which it is looked for. Their sequences are
    aligned to its site, so that it is too short to be told from chance elsewhere.
    """

    name: str
    consensus: str
    source: str
    among: str = ""


KADONAGA = "Juven-Gershon and Kadonaga (2010), Developmental Biology 339"
MOUNT = "Mount (1982), Nucleic Acids Research 10"
HOMER = "Heinz et al. (2010), Molecular Cell 38: HOMER"
KNOWN = (
    Known("TATA box", "TATAWAAR", KADONAGA),
    Known("initiator", "YR", "Carninci et al. (2006), Nature Genetics 38", "gue/prom_core"),
    Known("splice donor", "MAGGTRAGT", MOUNT),
    Known("splice acceptor", "YYYYYYNYAGG", MOUNT),
    Known("CTCF site", "CCACYAGRKGGC", HOMER),
    Known("AP-1 site", "TGASTCA", "Angel et al. (1987), Cell 49"),
    Known("E-box of MYC", "CACGTG", "Blackwell et al. (1990), Science 250"),
    Known("GC box", "KGGGCGGRRY", "Briggs et al. (1986), Science 234"),
    Known("CCAAT box", "RRCCAATSR", "Mantovani (1998), Nucleic Acids Research 26"),
    Known("cAMP response element", "TGACGTCA", "Montminy et al. (1986), PNAS 83"),
    Known("ETS site", "ACCGGAAGT", "Wei et al. (2010), EMBO Journal 29"),
    Known("NRF-1 site", "YGCGCAYGCGCR", "Evans and Scarpulla (1990), Genes and Development 4"),
    Known("YY1 site", "CAAGATGGCGGC", HOMER),
    Known("GATA site", "AGATAASR", HOMER),
)


class Match(NamedTuple):
    """How well a known motif fits: score (1: every letter, 0: the background), the place where its
    first letter is, and whether it is on the other strand of the motif."""

    known: Known
    score: float
    place: int
    other_strand: bool


def allowed(consensus: str) -> np.ndarray:
    """Which letters each place of a consensus allows, float64 (W, 4) of 0 and 1."""
    return np.array([[float(letter in IUPAC[one]) for letter in "ACGT"] for one in consensus])


def score(share: np.ndarray, letters: np.ndarray) -> float:
    """How far the shares (W, 4) of a motif's letters are those that `letters` (W, 4) allow, each
    place weighted by the information of its consensus, in bits."""
    number = letters.sum(axis=1)  # (W,)
    bits = np.log2(4 / number)  # (W,)
    chance = number / 4
    right = ((share * letters).sum(axis=1) - chance) / np.maximum(1 - chance, 1e-9)  # (W,)
    return float((bits * right).sum() / bits.sum())


def best_match(
    counts: np.ndarray, dataset: str, both_strands: bool, one_place: bool = False
) -> Match | None:
    """The known motif that fits counts (W, 4) of letters best, if any fits.

    one_place: whether the motif is at one place of all sequences, as those of `among` are.
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (W, 4)
    found = []
    for known in KNOWN:
        if known.among and not (one_place and dataset.startswith(known.among)):
            continue
        letters = allowed(known.consensus)
        for other, one in enumerate((letters, letters[::-1, ::-1])[: 1 + both_strands]):
            for place in range(len(share) - len(one) + 1):
                value = score(share[place : place + len(one)], one)
                if value >= LEAST_MATCH:
                    found.append(Match(known, value, place, bool(other)))
    return max(found, key=lambda match: match.score * len(match.known.consensus), default=None)
