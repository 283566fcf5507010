"""The DNA classifier: shapes, parameters counted by hand; augmentation of DNA."""

import pytest
import torch

from torch_nn import dna_augmentation as augmentation
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.parameters import parameter_count

UNKNOWN, PAD, VOCABULARY = 4, 5, 6


def model(pooling="mean", stem_kernel=3, **more):
    torch.manual_seed(0)
    settings = {"d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12, "max_length": 9}
    made = DNAClassifier(
        VOCABULARY, PAD, n_classes=3, pooling=pooling, stem_kernel=stem_kernel, **settings | more
    )
    return made.eval()


@pytest.mark.parametrize("pooling", ["cls", "mean", "flatten"])
@pytest.mark.parametrize("stem_kernel", [0, 3])
def test_shapes(pooling, stem_kernel):
    tokens = torch.randint(4, (5, 9))
    net = model(pooling, stem_kernel)
    logits, weights = net.forward_with_attention(tokens)
    length = 9 + (pooling == "cls")
    assert logits.shape == (5, 3) and torch.equal(net(tokens), logits)
    assert [w.shape for w in weights] == [(5, 2, length, length)] * 2


def test_parameters_by_hand():
    channels, wide, length, classes, kernel = 8, 12, 9, 3, 3
    attention = 4 * (channels * channels + channels)
    feed_forward = channels * wide + wide + wide * channels + channels
    layer = attention + feed_forward + 2 * 2 * channels
    shared = VOCABULARY * channels + length * channels + 2 * layer + 2 * channels
    stem = kernel * channels * channels + channels
    for pooling, head in [
        ("mean", channels * classes + classes),
        ("cls", channels * classes + classes + channels),
        ("flatten", length * channels * classes + classes),
    ]:
        assert parameter_count(model(pooling)) == shared + stem + head, pooling


def test_settings_that_do_not_fit():
    with pytest.raises(ValueError, match="pooling"):
        model("max")
    with pytest.raises(ValueError, match="odd"):
        model(stem_kernel=4)


def test_reverse_complement_by_hand():
    tokens = torch.tensor([[0, 0, 1, 4, 5, 5], [3, 2, 1, 0, 0, 0]])  # AACN.. TGCAAA
    other = augmentation.reverse_complement(tokens, PAD)
    assert other.tolist() == [[4, 2, 3, 3, 5, 5], [3, 3, 3, 2, 1, 0]]  # NGTT.. TTTGCA
    assert torch.equal(augmentation.reverse_complement(other, PAD), tokens)


def test_augmentation_changes_what_it_says():
    torch.manual_seed(0)
    tokens = torch.randint(4, (400, 50))
    tokens[:, 40:] = PAD
    hidden = augmentation.hide(tokens, 0.2, UNKNOWN)
    assert (hidden[:, 40:] == PAD).all()
    assert (hidden == UNKNOWN).double().mean().item() == pytest.approx(0.2 * 0.8, abs=0.01)
    mutated = augmentation.mutate(tokens, 0.2)
    assert (mutated[:, 40:] == PAD).all()
    assert (mutated != tokens).double().mean().item() == pytest.approx(0.15 * 0.8, abs=0.01)
    assert torch.equal(augmentation.shift(tokens, 0, UNKNOWN), tokens)
    whole = tokens[:, :40]
    moved = augmentation.augment(whole, UNKNOWN, 2, 0, 0, False)
    for row, was in zip(moved, whole, strict=True):
        by = [k for k in range(-2, 3) if torch.equal(row[2 + k : 38 + k], was[2:38])]
        assert len(by) == 1 and (row == UNKNOWN).sum() == abs(by[0])
    padded = augmentation.augment(tokens, UNKNOWN, 2, 0, 0, False)
    assert torch.equal(padded, tokens)
