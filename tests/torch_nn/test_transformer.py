"""Encoder, decoder and the whole Transformer: against PyTorch's layers, and by their properties."""

import math

import pytest
import torch
from test_attention import copy_attention
from torch import nn

from torch_nn.attention import causal_mask, padding_mask
from torch_nn.decoder import DecoderLayer
from torch_nn.encoder import Encoder, EncoderLayer
from torch_nn.positions import (
    LearnedPositionalEmbedding,
    SinusoidalPositionalEncoding,
    positional,
    sinusoidal_table,
)
from torch_nn.transformer import Transformer


def copy_feed_forward(ours, theirs):
    ours.up_projection.load_state_dict(theirs.linear1.state_dict())
    ours.down_projection.load_state_dict(theirs.linear2.state_dict())


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_layer_equals_torch(pre_norm, activation):
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        8, 2, 16, activation=activation, batch_first=True, norm_first=pre_norm
    ).eval()
    for norm in (theirs.norm1, theirs.norm2):
        nn.init.normal_(norm.weight)
    ours = EncoderLayer(8, 2, 16, activation=activation, pre_norm=pre_norm).eval()
    copy_attention(ours.attention, theirs.self_attn)
    copy_feed_forward(ours.feed_forward, theirs)
    ours.attention_norm.load_state_dict(theirs.norm1.state_dict())
    ours.feed_forward_norm.load_state_dict(theirs.norm2.state_dict())
    x, mask = torch.randn(3, 5, 8), causal_mask(5)
    assert torch.allclose(ours(x, mask), theirs(x, src_mask=~mask), atol=1e-5)


@pytest.mark.parametrize("pre_norm", [False, True])
def test_decoder_layer_equals_torch(pre_norm):
    torch.manual_seed(0)
    theirs = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True, norm_first=pre_norm).eval()
    for norm in (theirs.norm1, theirs.norm2, theirs.norm3):
        nn.init.normal_(norm.weight)
    ours = DecoderLayer(8, 2, 16, pre_norm=pre_norm).eval()
    copy_attention(ours.self_attention, theirs.self_attn)
    copy_attention(ours.cross_attention, theirs.multihead_attn)
    copy_feed_forward(ours.feed_forward, theirs)
    ours.self_attention_norm.load_state_dict(theirs.norm1.state_dict())
    ours.cross_attention_norm.load_state_dict(theirs.norm2.state_dict())
    ours.feed_forward_norm.load_state_dict(theirs.norm3.state_dict())
    x, memory, lengths = torch.randn(2, 4, 8), torch.randn(2, 6, 8), torch.tensor([2, 6])
    expected = theirs(
        x,
        memory,
        tgt_mask=~causal_mask(4),
        memory_key_padding_mask=~padding_mask(lengths, 6)[:, 0, 0],
    )
    found = ours(x, memory, causal_mask(4), padding_mask(lengths, 6))
    assert torch.allclose(found, expected, atol=1e-5)


def test_sinusoid_worked_example():
    """Section 3.5 by hand, C = 4: frequencies 1 and 1/100."""
    row = sinusoidal_table(4, 4)[3]
    expected = [math.sin(3), math.cos(3), math.sin(0.03), math.cos(0.03)]
    assert torch.allclose(row, torch.tensor(expected))
    assert sinusoidal_table(1, 6).tolist() == [[0, 1, 0, 1, 0, 1]]


def test_a_shift_of_the_sinusoids_is_a_rotation():
    """PE(pos + k) is a linear function of PE(pos): products depend on the distance alone."""
    products = sinusoidal_table(40, 16) @ sinusoidal_table(40, 16).T
    for distance in (0, 1, 7):
        diagonal = products.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4)


def test_positions_add_their_table_from_start_and_refuse_more():
    zeros = torch.zeros(1, 3, 4)
    fixed, learned = SinusoidalPositionalEncoding(5, 4), LearnedPositionalEmbedding(5, 4)
    assert torch.equal(fixed(zeros, start=2)[0], sinusoidal_table(5, 4)[2:])
    assert torch.equal(learned(zeros, start=2)[0], learned.embedding.weight[2:])
    assert not list(fixed.parameters()) and not fixed.state_dict()
    for module in (fixed, learned):
        with pytest.raises(ValueError, match="6 tokens"):
            module(zeros, start=3)
    with pytest.raises(ValueError, match="odd"):
        sinusoidal_table(3, 5)
    with pytest.raises(ValueError, match="expected one of"):
        positional("rotary", 4, 4)


def test_padding_never_changes_what_the_encoder_says_of_real_tokens():
    torch.manual_seed(0)
    encoder = Encoder(2, 8, 2, 16, pre_norm=True).eval()
    x = torch.randn(1, 6, 8)
    other = x.clone()
    other[:, 4:] = 100.0
    mask = padding_mask(torch.tensor([4]), 6)
    assert torch.allclose(encoder(x, mask)[:, :4], encoder(other, mask)[:, :4], atol=1e-5)
    assert torch.allclose(encoder(x, mask)[:, :4], encoder(x[:, :4]), atol=1e-5)
    _, weights = encoder(x, mask, return_weights=True)
    assert [w.shape for w in weights] == [(1, 2, 6, 6)] * 2 and not weights[0][..., 4:].any()


def tiny(**changes):
    torch.manual_seed(0)
    settings = {"d_model": 16, "n_heads": 2, "d_ff": 32, "max_length": 12, "dropout": 0.0}
    return Transformer(7, 9, **{**settings, **changes})


@pytest.mark.parametrize("pre_norm", [False, True])
def test_the_target_is_causal_and_the_source_padding_unseen(pre_norm):
    model = tiny(pre_norm=pre_norm).eval()
    source, target = torch.randint(7, (2, 6)), torch.randint(9, (2, 5))
    lengths = torch.tensor([4, 6])
    logits = model(source, target, lengths)
    changed_source, changed_target = source.clone(), target.clone()
    changed_source[0, 4:] = 0
    changed_target[:, 3:] = 0
    assert logits.shape == (2, 5, 9)
    found = model(changed_source, changed_target, lengths)
    assert torch.allclose(found[:, :3], logits[:, :3], atol=1e-5)
    assert not torch.allclose(model(changed_source, target)[0], model(source, target)[0])


def test_weights_are_returned_with_their_shapes():
    model = tiny().eval()
    memory, encoder_weights = model.encode(torch.randint(7, (2, 6)), return_weights=True)
    logits, own, cross = model.decode(torch.randint(9, (2, 5)), memory, return_weights=True)
    assert [w.shape for w in encoder_weights] == [(2, 2, 6, 6)] * 2
    assert [w.shape for w in own] == [(2, 2, 5, 5)] * 2
    assert [w.shape for w in cross] == [(2, 2, 5, 6)] * 2


def test_tying_and_sharing():
    tied = tiny()
    assert tied.output_projection.weight is tied.target_embedding.weight
    free = tiny(tie_embeddings=False)
    counts = [sum(p.numel() for p in m.parameters()) for m in (tied, free)]
    assert counts[1] - counts[0] == 9 * 16
    with pytest.raises(ValueError, match="shared"):
        tiny(share_embeddings=True)


def test_learns_to_copy_and_decodes_greedily():
    """A sequence is copied after a short training; decoding stops at the end token."""
    torch.manual_seed(0)
    model = Transformer(8, 8, 32, 4, 1, 1, 64, max_length=8, dropout=0.0, pre_norm=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    start, end = 0, 1
    for _ in range(300):
        words = torch.randint(2, 8, (64, 4))
        target = torch.cat([torch.full((64, 1), start), words, torch.full((64, 1), end)], dim=1)
        logits = model(words, target[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    words = torch.randint(2, 8, (20, 4))
    decoded = model.greedy_decode(words, start, end, max_length=7)
    assert model.training
    expected = torch.cat([words, torch.full((20, 1), end)], dim=1)
    assert (decoded[:, :5] == expected).all(dim=1).float().mean() > 0.9
