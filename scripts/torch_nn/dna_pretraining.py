"""Masked-nucleotide pretraining: the encoder learns what follows what, without any label."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.dna_classifier import DNAClassifier
from torch_nn.dna_tokens import PAD, UNKNOWN, Nucleotides


class NucleotideGuesser(nn.Module):
    """A DNA classifier's encoder, and a head that guesses the letters of each place, as BERT does
    with words (Devlin et al. 2019, section 3.1; here a hidden letter is always N).

    Behind a stem that pools, a place covers several letters and the head guesses each of them.
    Raises ValueError if a token is not one nucleotide: a place then has no fixed letters.
    """

    def __init__(self, classifier: DNAClassifier):
        super().__init__()
        if not isinstance(classifier.tokens, Nucleotides):
            raise ValueError("pretraining: expected tokens that are nucleotides")
        self.classifier = classifier
        self.head = nn.Linear(classifier.d_model, 4 * classifier.pool_factor)

    def forward(self, letters: Tensor) -> Tensor:
        """letters (B, L), some of them hidden -> logits (B, L, 4) of A, C, G, T at each."""
        x, _, _ = self.classifier.encode(letters)  # (B, P, C)
        if self.classifier.cls is not None:
            x = x[:, 1:]  # (B, P, C)
        logits = self.head(x).unflatten(2, (-1, 4))  # (B, P, factor, 4)
        logits = logits.flatten(1, 2)  # (B, P factor, 4)
        missing = letters.size(1) - logits.size(1)
        return F.pad(logits, (0, 0, 0, missing))  # (B, L, 4): a negative number cuts off

    def loss(self, letters: Tensor, share: float) -> Tensor:
        """Mean nats of the letters (B, L) of which `share`, drawn here, are hidden from the model;
        0 if none is. Unknown letters and padding are never asked for."""
        hidden = (torch.rand(letters.shape, device=letters.device) < share) & (letters < 4)
        logits = self(letters.masked_fill(hidden, UNKNOWN))  # (B, L, 4)
        asked = letters.masked_fill(~hidden, PAD)  # (B, L)
        nats = F.cross_entropy(
            logits.flatten(0, 1), asked.flatten(), ignore_index=PAD, reduction="sum"
        )
        return nats / hidden.sum().clamp(min=1)
