"""The best possible accuracy on planted motifs: by simulation, and where it is plain."""

import numpy as np
import pytest

from dna import planted_motifs
from dna.sequences import LETTERS, encode

MOTIFS = ["TATA", "CACG", "TTTT"]


def test_bayes_accuracy_is_what_the_optimal_rule_reaches():
    x, y = planted_motifs.sample(40_000, 12, MOTIFS, 0.4, 5, 0, "test")
    words = x[:, 5:9].astype(np.int64) @ 4 ** np.arange(3, -1, -1)
    answers = planted_motifs.word_likelihoods(MOTIFS, 0.4).argmax(axis=0)[words]
    reached = (answers == y).mean()
    expected = planted_motifs.bayes_accuracy(MOTIFS, 0.4)
    assert abs(reached - expected) < 4 * np.sqrt(0.25 / 40_000)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3, 0.5])
def test_one_letter_in_closed_form(noise):
    assert planted_motifs.bayes_accuracy(["A", "C"], noise) == pytest.approx(
        ((1 - noise) + (1 - noise) + 2 * noise / 3) / 2
    )


def test_extremes():
    assert planted_motifs.bayes_accuracy(MOTIFS, 0.0) == pytest.approx(1)
    assert planted_motifs.bayes_accuracy(MOTIFS, 0.75) == pytest.approx(1 / 3)


def test_likelihoods_are_distributions_and_name_the_motif():
    likelihood = planted_motifs.word_likelihoods(MOTIFS, 0.2)
    assert likelihood.sum(axis=1) == pytest.approx(1)
    digits = encode("CACG") @ np.array([64, 16, 4, 1])
    assert likelihood[1].argmax() == digits


def test_without_noise_the_motif_stands_at_its_place():
    x, y = planted_motifs.sample(50, 9, MOTIFS, 0.0, 3, 0, "train")
    planted = ["".join(LETTERS[token] for token in row[3:7]) for row in x]
    assert planted == [MOTIFS[label] for label in y]
