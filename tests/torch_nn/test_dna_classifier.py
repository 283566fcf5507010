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


@pytest.mark.parametrize("pooling", ["mean", "flatten"])
def test_of_a_row_of_padding_the_bias_is_left(pooling):
    net = model(pooling)
    tokens = torch.tensor([[PAD] * 9, [0, 1, 2, 3, 0, 1, 2, 3, 0]])
    found = net(tokens)
    torch.testing.assert_close(found[0], net.head.bias)
    assert not torch.allclose(found[1], net.head.bias)


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


TOKENS = torch.randint(4, (40, 30), generator=torch.Generator().manual_seed(3))
NONE = {"largest_shift": 0, "mutated_share": 0, "hidden_share": 0, "both_strands": False}


@pytest.mark.parametrize(
    ("setting", "alone"),
    [
        ({"largest_shift": 3}, lambda x: augmentation.shift(x, 3, UNKNOWN)),
        ({"mutated_share": 0.3}, lambda x: augmentation.mutate(x, 0.3)),
        ({"hidden_share": 0.3}, lambda x: augmentation.hide(x, 0.3, UNKNOWN)),
    ],
)
def test_each_setting_of_the_augmentation_does_its_part(setting, alone):
    torch.manual_seed(1)
    found = augmentation.augment(TOKENS, UNKNOWN, **NONE | setting)
    torch.manual_seed(1)
    assert torch.equal(found, alone(TOKENS)) and not torch.equal(found, TOKENS)


def test_without_augmentation_no_random_number_is_drawn():
    before = torch.get_rng_state()
    assert augmentation.augment(TOKENS, UNKNOWN, **NONE) is TOKENS
    assert torch.equal(torch.get_rng_state(), before)


def test_about_half_of_the_rows_become_the_other_strand():
    torch.manual_seed(0)
    tokens = TOKENS.repeat(10, 1)
    tokens[:, 25:] = PAD
    found = augmentation.augment(tokens, UNKNOWN, **NONE | {"both_strands": True})
    turned = (found == augmentation.reverse_complement(tokens, PAD)).all(dim=1)
    assert (turned | (found == tokens).all(dim=1)).all()
    assert 160 < turned.sum() < 240


def test_an_unknown_nucleotide_is_neither_replaced_nor_read():
    unknown = torch.full((1, 50), UNKNOWN)
    assert torch.equal(augmentation.mutate(unknown, 1.0), unknown)
    assert torch.equal(augmentation.reverse_complement(unknown, PAD), unknown)


def test_a_fresh_embedding_has_deviation_one_half_and_padding_zero():
    net = DNAClassifier(401, 400, 9, 3, 64, 4)
    assert net.embedding.weight[:400].std().item() == pytest.approx(0.5, rel=0.02)
    assert not net.embedding.weight[400].any()


def test_defaults():
    net = DNAClassifier(VOCABULARY, PAD, 9, 3)
    other = DNAClassifier(VOCABULARY, PAD, 9, 3, 64, 4, 2, 128, 0.1, 0.1, 0, "mean")
    assert repr(net) == repr(other) and net.pooling == "mean"
    assert net.encoder.layers[0].attention.inner.n_heads == 4
    assert net.encoder.layers[0].attention.dropout.dropped == round(0.1 * 2**16)
