"""The DNA classifier: shapes, parameters counted by hand; augmentation of DNA."""

import pytest
import torch

from torch_nn import dna_augmentation as augmentation
from torch_nn.dna_classifier import BatchNorm, DNAClassifier, StemBlock
from torch_nn.parameters import parameter_count

UNKNOWN, PAD, VOCABULARY = 4, 5, 6


def model(pooling="mean", stem_kernel=3, **more):
    torch.manual_seed(0)
    settings = {"d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12, "stem_kernel": stem_kernel}
    return DNAClassifier(9, 3, pooling=pooling, **settings | more).eval()


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "attention", "flatten"])
@pytest.mark.parametrize(
    ("stem", "places"),
    [
        ({"stem_kernel": 0}, 9),
        ({"stem_kernel": 3}, 9),
        ({"stem_pools": [2, 2], "stem_norm": True, "token_width": 4}, 3),
        ({"tokens": "k-mers", "k": 2}, 8),
    ],
)
def test_shapes(pooling, stem, places):
    letters = torch.randint(4, (5, 9))
    net = model(pooling, **stem)
    logits, weights = net.forward_with_attention(letters)
    assert logits.shape == (5, 3)
    # The fused kernel, which has no weights to give, computes the same.
    torch.testing.assert_close(net(letters), logits)
    places += pooling == "cls"
    assert [w.shape for w in weights] == [(5, 2, places, places)] * 2


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
        ("attention", channels * classes + classes + channels + 1),
        ("cls", channels * classes + classes + channels),
        ("flatten", length * channels * classes + classes),
    ]:
        assert parameter_count(model(pooling)) == shared + stem + head, pooling


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"pooling": "sum"}, "pooling: expected one of cls, .*found 'sum'"),
        ({"tokens": "words"}, "tokens"),
        ({"positions": "none"}, "positions"),
        ({"stem_kernel": 4}, "odd"),
        ({"stem_inner_kernel": 2}, "odd"),
        ({"stem_kernel": 0, "token_width": 4}, "token_width: 4 is not d_model"),
    ],
)
def test_settings_that_do_not_fit(settings, says):
    with pytest.raises(ValueError, match=says):
        model(**settings)


def test_max_pooling_sees_windows_and_a_shorter_last_one():
    """One channel that counts the letter, a kernel of one: each place is gelu of its window's
    largest letter."""
    block = StemBlock(1, 2, kernel=1, pool=3, norm=False)
    with torch.no_grad():
        block.convolution.weight.copy_(torch.tensor([[[1.0]], [[-1.0]]]))
        block.convolution.bias.zero_()
    x = torch.tensor([[[1.0, 5, 2, 4, 3, 0, 7, 0]]])  # (1, 1, 8), the last one padding
    real = torch.tensor([[True] * 7 + [False]])
    found, left = block(x, real)
    expected = torch.tensor([[[5.0, 4, 7], [-1, 0, -7]]])
    torch.testing.assert_close(found, torch.nn.functional.gelu(expected))
    assert left.tolist() == [[True] * 3]
    found, left = block(x[:, :, :6], torch.tensor([[True] * 3 + [False] * 3]))
    assert found[0, :, 1].tolist() == [0, 0] and left.tolist() == [[True, False]]


def test_batch_norm_over_real_places_is_torchs_over_their_rows():
    torch.manual_seed(0)
    x, real = torch.randn(4, 3, 6), torch.arange(6) < torch.tensor([[6], [2], [1], [4]])
    ours, theirs = BatchNorm(3), torch.nn.BatchNorm1d(3)
    found = ours(x, real)
    torch.testing.assert_close(found.transpose(1, 2)[real], theirs(x.transpose(1, 2)[real]))
    assert not found.transpose(1, 2)[~real].any()
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours(x), theirs(x))


def test_a_training_step_keeps_no_square_of_places():
    """What the backward pass keeps grows with the places, not with their square."""

    def kept(length):
        sizes = []

        def pack(tensor):
            sizes.append(tensor.numel())
            return tensor

        net = DNAClassifier(length, 2, d_model=8, n_heads=4, dropout=0.2).train()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            net(torch.randint(4, (2, length))).sum()
        return max(sizes)

    assert kept(256) <= 2.1 * kept(128)


def test_places_are_named_by_their_letters():
    letters = torch.tensor([[3, 0, 3, 0, 4, PAD, PAD]])
    assert model(stem_kernel=0).place_names(letters) == [*"TATAN"]
    assert model(stem_pools=[2, 1]).place_names(letters) == ["TA", "TA", "N"]
    assert model(stem_kernel=0, tokens="k-mers", k=2).place_names(letters[:, :4]) == [
        "TA", "AT", "TA",
    ]  # fmt: skip


def test_padding_of_the_whole_batch_costs_nothing():
    net, seen = model(), []
    net.encoder.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].size(1)))
    net(torch.tensor([[0, 1, PAD, PAD], [2, PAD, PAD, PAD]]))
    assert seen == [2]


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
    shifted = augmentation.augment(tokens, UNKNOWN, 2, 0, 0, False)
    assert (shifted[:, 40:] == PAD).all() and not torch.equal(shifted, tokens)
    for row, was in zip(shifted[:, :40], whole, strict=True):
        assert [k for k in range(-2, 3) if torch.equal(row[2 + k : 38 + k], was[2:38])]


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
    net = DNAClassifier(9, 3, tokens="k-mers", k=4, d_model=64)
    assert net.embedding.weight[:257].std().item() == pytest.approx(0.5, rel=0.02)
    assert len(net.embedding.weight) == 258 and not net.embedding.weight[257].any()


def test_defaults():
    net = DNAClassifier(9, 3)
    assert net.pooling == "mean" and net.places == 9 and not len(net.stem)
    assert net.encoder.layers[0].attention.inner.n_heads == 4
    assert net.encoder.layers[0].attention.dropout.dropped == round(0.1 * 2**16)
