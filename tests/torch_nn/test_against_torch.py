"""Whole stacks and models against the same composed of torch.nn: values and all gradients."""

import math

import pytest
import torch
import torch.nn.functional as F
import torch_layers
from torch import nn
from torch_layers import assert_same, pairs, same_weights

from torch_nn.attention import causal_mask, padding_mask
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.encoder import Encoder, LayerShape
from torch_nn.gpt import GPT
from torch_nn.positions import sinusoidal_table
from torch_nn.transformer import Decoder, Transformer

SHAPE = (8, 2, 12)  # d_model, n_heads, d_ff
LENGTHS = torch.tensor([3, 6])
PADDED = ~(torch.arange(6) < LENGTHS[:, None])  # (B, T), True where torch.nn hides


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder(pre_norm, activation):
    theirs = torch_layers.encoder(3, *SHAPE, activation, pre_norm)
    ours = Encoder(3, LayerShape(*SHAPE, activation=activation, pre_norm=pre_norm))
    matched = same_weights(ours, pairs(ours, theirs))
    x = torch.randn(2, 6, 8)
    found, weights = ours(x, padding_mask(LENGTHS, 6))
    assert_same(found, theirs(x, src_key_padding_mask=PADDED), matched)
    assert [w.shape for w in weights] == [(2, 2, 6, 6)] * 3


@pytest.mark.parametrize("pre_norm", [False, True])
def test_decoder(pre_norm):
    theirs = torch_layers.decoder(3, *SHAPE, "relu", pre_norm)
    ours = Decoder(3, LayerShape(*SHAPE, pre_norm=pre_norm))
    matched = same_weights(ours, pairs(ours, theirs))
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 6, 8)
    found, self_weights, cross_weights = ours(x, memory, padding_mask(LENGTHS, 6))
    expected = theirs(x, memory, tgt_mask=~causal_mask(5), memory_key_padding_mask=PADDED)
    assert_same(found, expected, matched)
    assert [w.shape for w in self_weights] == [(2, 2, 5, 5)] * 3
    assert [w.shape for w in cross_weights] == [(2, 2, 5, 6)] * 3


@pytest.mark.parametrize("pre_norm", [False, True])
def test_transformer(pre_norm):
    """Embedding times sqrt(C), plus sinusoids; both stacks; the target's embedding again."""
    theirs = nn.ModuleDict(
        {
            "source_embedding": nn.Embedding(7, 8),
            "target_embedding": nn.Embedding(9, 8),
            "encoder": torch_layers.encoder(3, *SHAPE, "gelu", pre_norm),
            "decoder": torch_layers.decoder(3, *SHAPE, "gelu", pre_norm),
        }
    )
    ours = Transformer(7, 9, 8, 2, 3, 3, 12, 6, 0.0, "gelu", pre_norm)
    matched = same_weights(
        ours, [pair for name in theirs for pair in pairs(getattr(ours, name), theirs[name])]
    )
    source, target = torch.randint(7, (2, 6)), torch.randint(9, (2, 5))
    memory = theirs["encoder"](
        math.sqrt(8) * theirs["source_embedding"](source) + sinusoidal_table(6, 8),
        src_key_padding_mask=PADDED,
    )
    x = theirs["decoder"](
        math.sqrt(8) * theirs["target_embedding"](target) + sinusoidal_table(5, 8),
        memory,
        tgt_mask=~causal_mask(5),
        memory_key_padding_mask=PADDED,
    )
    assert_same(ours(source, target, LENGTHS), x @ theirs["target_embedding"].weight.T, matched)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_gpt(positions):
    """Embedding, times sqrt(C) beside sinusoids; positions; blocks; norm; the embedding again."""
    theirs = nn.ModuleDict(
        {
            "embedding": nn.Embedding(11, 8),
            "positions": nn.Embedding(6, 8),
            "blocks": torch_layers.encoder(3, 8, 2, 32, "gelu", pre_norm=True),
        }
    )
    ours = GPT(11, 6, 3, 2, 8, positions=positions)
    matched = [*pairs(ours.embedding, theirs["embedding"]), *pairs(ours.blocks, theirs["blocks"])]
    if positions == "learned":
        matched += pairs(ours.positions.embedding, theirs["positions"])
    same_weights(ours, matched)
    tokens = torch.randint(11, (2, 6))
    x = theirs["embedding"](tokens)
    if positions == "learned":
        x = x + theirs["positions"].weight
    else:
        x = math.sqrt(8) * x + sinusoidal_table(6, 8)
    x = theirs["blocks"](x, mask=~causal_mask(6))
    assert_same(ours(tokens), x @ theirs["embedding"].weight.T, matched)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "attention", "flatten"])
@pytest.mark.parametrize("stem_kernel", [0, 3])
def test_dna_classifier(pooling, stem_kernel):
    """Row by row, so that the oracle needs neither padding nor mask."""
    theirs = nn.ModuleDict(
        {
            "embedding": nn.Embedding(6, 8, padding_idx=5),
            "positions": nn.Embedding(7, 8),
            "encoder": torch_layers.encoder(2, 8, 2, 12, "gelu", pre_norm=True),
            "head": nn.Linear(7 * 8 if pooling == "flatten" else 8, 3),
        }
    )
    shape = {"d_model": 8, "n_heads": 2, "d_ff": 12, "dropout": 0.0, "head_dropout": 0.0}
    ours = DNAClassifier(7, 3, stem_kernel=stem_kernel, pooling=pooling, **shape)
    matched = [
        pair for name in ("embedding", "encoder", "head")
        for pair in pairs(getattr(ours, name), theirs[name])
    ]  # fmt: skip
    matched += pairs(ours.positions.embedding, theirs["positions"])
    if stem_kernel:
        stem = nn.Conv1d(8, 8, stem_kernel, padding=1)
        matched += pairs(ours.stem[0].convolution, stem)
    if pooling == "cls":
        cls = nn.Parameter(torch.zeros(1, 1, 8))
        matched.append((ours.cls, cls, slice(None)))
    if pooling == "attention":
        attend = nn.Linear(8, 1)
        matched += pairs(ours.attend, attend)
    same_weights(ours, matched)
    for weight in (ours.embedding.weight, theirs["embedding"].weight):
        weight.data[5] = 0.0  # padding is the zero vector
    rows = [torch.randint(5, (length,)) for length in (7, 4, 1)]
    logits = []
    for row in rows:
        x = theirs["embedding"](row[None])  # (1, T, C)
        if stem_kernel:
            x = x + F.gelu(stem(x.transpose(1, 2))).transpose(1, 2)
        x = x + theirs["positions"].weight[: len(row)]
        if pooling == "cls":
            x = torch.cat([cls, x], dim=1)  # (1, 1 + T, C)
        x = theirs["encoder"](x)
        pooled = {
            "cls": x[:, 0],
            "mean": x.mean(dim=1),
            "max": x.amax(dim=1),
            "flatten": F.pad(x.flatten(1), (0, 8 * (7 - len(row)))),
        }
        if pooling == "attention":
            pooled[pooling] = attend(x)[..., 0].softmax(dim=1) @ x[0]
        logits.append(theirs["head"](pooled[pooling]))
    tokens = torch.stack([F.pad(row, (0, 7 - len(row)), value=5) for row in rows])
    assert_same(ours(tokens), torch.cat(logits), matched)
