"""DNA with planted motifs, and the best accuracy that any classifier can reach on it.

Model. Each class has a motif of its own, all of one length m, and a class is drawn uniformly. The
background is uniform over A, C, G, T, independently at each place. The motif of the class is
written at a place that is the same in all sequences, but each of its letters stays only with
probability 1 - noise, and is else drawn uniformly from the other three. So what is outside the
planted place says nothing of the class, and inside it the letters are independent given the class.

Bayes accuracy. The optimal rule picks the class with the highest likelihood; under a uniform prior
it is right with probability  sum_w max_c P(w | c) / K,  the sum over all 4^m words of the planted
place. This is exact: the words are enumerated. With noise e,
P(w | c) = prod_i ((1 - e) if w_i = motif_c,i else e / 3).
"""

from collections.abc import Sequence

import numpy as np

from dna.sequences import Tokenizer
from pipeline.seeds import generator


def word_likelihoods(motifs: Sequence[str], noise: float) -> np.ndarray:
    """P(word | class), float64 (K, 4^m); words are numbered with their first letter highest.

    Raises ValueError if the motifs differ in length, or are longer than 10 letters (4^10 words).
    """
    letters = np.array([Tokenizer().encode(motif) for motif in motifs if len(motif) <= 10])
    if len(letters) != len(motifs):
        raise ValueError("motifs are longer than 10 letters: too many words to enumerate")
    likelihood = np.ones((len(motifs), 1))
    for column in letters.T:
        here = np.where(column[:, None] == np.arange(4), 1 - noise, noise / 3)  # (K, 4)
        likelihood = (likelihood[:, :, None] * here[:, None, :]).reshape(len(motifs), -1)
    return likelihood


def bayes_accuracy(motifs: Sequence[str], noise: float) -> float:
    """The probability that the optimal rule is right (see above)."""
    return float(word_likelihoods(motifs, noise).max(axis=0).sum() / len(motifs))


def optimal_rule(x: np.ndarray, motifs: Sequence[str], noise: float, place: int) -> np.ndarray:
    """The class of highest likelihood for tokens x (N, L): int64 (N,)."""
    width = len(motifs[0])
    words = x[:, place : place + width].astype(np.int64) @ 4 ** np.arange(width - 1, -1, -1)
    return word_likelihoods(motifs, noise).argmax(axis=0)[words]


def sample(
    number: int, length: int, motifs: Sequence[str], noise: float, place: int, seed: int, split: str
) -> tuple[np.ndarray, np.ndarray]:
    """Draw tokens uint8 (number, length) and labels int64 (number,) from the model above.

    Raises ValueError if the motif does not fit at `place`.
    """
    width = len(motifs[0])
    if place + width > length:
        raise ValueError(f"a motif of {width} letters does not fit at {place} of {length}")
    random = generator(seed, "planted_motifs", split)
    labels = random.integers(len(motifs), size=number)
    x = random.integers(4, size=(number, length))
    planted = np.array([Tokenizer().encode(motif) for motif in motifs], np.int64)[labels]
    # Adding 1, 2 or 3 (mod 4) reaches the three other letters with equal chance.
    wrong = (planted + random.integers(1, 4, size=planted.shape)) % 4
    x[:, place : place + width] = np.where(random.random(planted.shape) < noise, wrong, planted)
    return x.astype(np.uint8), labels.astype(np.int64)
