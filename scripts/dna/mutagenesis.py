"""In-silico mutagenesis (Zhou and Troyanskaya 2015, Nature Methods 12): every letter of a sequence
is replaced by the others, one at a time, and the model reads each result.

The effect of a letter is how much the log-odds of the predicted class, ln p / (1 - p), fall when
another letter takes its place: above 0, the letter speaks for the class.
"""

from typing import NamedTuple

import numpy as np

from dna.predict import answers
from dna.sequences import UNKNOWN
from dna.settings import Stored
from torch_nn.dna_classifier import DNAClassifier


class Explained(NamedTuple):
    """Tokens uint8 (L,), class and probability, and the effects (L, 3) of other letters (L, 3)."""

    id: str
    tokens: np.ndarray
    prediction: str
    probability: float
    others: np.ndarray
    effects: np.ndarray


def _log_odds(p: np.ndarray) -> np.ndarray:
    p = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def explain(model: DNAClassifier, about: Stored, name: str, tokens: np.ndarray) -> Explained:
    """The effects of all single changes of tokens uint8 (L,); of unknown letters they are 0."""
    length = len(tokens)
    others = (tokens[:, None] + np.arange(1, 4)) % 4  # (L, 3)
    variants = np.tile(tokens, (length, 3, 1))  # (L, 3, L)
    place = np.arange(length)
    variants[place, :, place] = others
    readings = [tokens, *variants.reshape(-1, length)]
    p = answers(model, readings, about.both_strands)  # (1 + 3 L, K)
    answer = int(p[0].argmax())
    odds = _log_odds(p[:, answer])
    effects = (odds[0] - odds[1:]).reshape(length, 3)
    effects[tokens >= UNKNOWN] = 0
    return Explained(name, tokens, about.classes[answer], float(p[0, answer]), others, effects)
