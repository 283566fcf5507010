"""Prediction from both strands: the answer is that of the other strand, too."""

import pytest
import torch

from dna.model import predict
from dna.sequences import PAD, VOCABULARY
from torch_nn.dna_augmentation import reverse_complement
from torch_nn.dna_classifier import DNAClassifier


def test_both_strands_give_one_answer():
    torch.manual_seed(0)
    net = DNAClassifier(VOCABULARY, PAD, 9, 3, d_model=8, n_heads=2, d_ff=12)
    tokens = torch.randint(4, (4, 9))
    other = reverse_complement(tokens, PAD)
    torch.testing.assert_close(predict(net, tokens, True), predict(net, other, True))
    assert not torch.allclose(predict(net, tokens), predict(net, other))
    assert predict(net, tokens).sum(dim=1).tolist() == pytest.approx([1] * 4)
