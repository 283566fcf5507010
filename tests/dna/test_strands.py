"""Prediction from both strands: the answer is that of the other strand, too."""

import pytest
import torch

from dna.model import predict, predict_views
from dna.sequences import PAD
from torch_nn.dna_augmentation import reverse_complement
from torch_nn.dna_classifier import DNAClassifier


def test_both_strands_give_one_answer():
    torch.manual_seed(0)
    net = DNAClassifier(9, 3, d_model=8, n_heads=2, d_ff=12)
    tokens = torch.randint(4, (4, 9))
    other = reverse_complement(tokens, PAD)
    both = [predict_views(net, x, both_strands=True) for x in (tokens, other)]
    torch.testing.assert_close(both[0]["both strands"], both[1]["both strands"])
    assert torch.equal(both[0]["none"], predict(net, tokens))
    assert list(predict_views(net, tokens, both_strands=False)) == ["none"]
    assert not torch.allclose(predict(net, tokens), predict(net, other))
    assert predict(net, tokens).sum(dim=1).tolist() == pytest.approx([1] * 4)


def test_long_sequences_are_predicted_in_small_batches():
    seen = []

    class Net(torch.nn.Module):
        def forward(self, tokens):
            seen.append(len(tokens))
            return torch.zeros(len(tokens), 2)

    for length in (60, 4000):
        predict(Net(), torch.zeros(600, length, dtype=torch.int64))
    assert seen[:2] == [512, 88] and max(seen[2:]) == 4 and sum(seen) == 1200
