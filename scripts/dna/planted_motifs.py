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

from dna.sequences import encode
from pipeline.seeds import generator


def word_likelihoods(motifs: Sequence[str], noise: float) -> np.ndarray:
    """P(word | class), float64 (K, 4^m); words are numbered with their first letter highest."""
    letters = np.array([encode(motif) for motif in motifs])  # (K, m)
    likelihood = np.ones((len(motifs), 1))
    for column in letters.T:
        here = np.where(column[:, None] == np.arange(4), 1 - noise, noise / 3)  # (K, 4)
        likelihood = (likelihood[:, :, None] * here[:, None, :]).reshape(len(motifs), -1)
    return likelihood


def bayes_accuracy(motifs: Sequence[str], noise: float) -> float:
    """The probability that the optimal rule is right (see above)."""
    return float(word_likelihoods(motifs, noise).max(axis=0).sum() / len(motifs))


def sample(
    number: int, length: int, motifs: Sequence[str], noise: float, place: int, seed: int, split: str
) -> tuple[np.ndarray, np.ndarray]:
    """Draw tokens uint8 (number, length) and labels int64 (number,) from the model above."""
    random = generator(seed, "planted_motifs", split)
    labels = random.integers(len(motifs), size=number)
    x = random.integers(4, size=(number, length))
    planted = np.array([encode(motif) for motif in motifs], np.int64)[labels]
    # Adding 1, 2 or 3 (mod 4) reaches the three other letters with equal chance.
    wrong = (planted + random.integers(1, 4, size=planted.shape)) % 4
    written = np.where(random.random(planted.shape) < noise, wrong, planted)  # (number, m)
    x[:, place : place + written.shape[1]] = written
    return x.astype(np.uint8), labels.astype(np.int64)
