"""The Transformer's own: tied embedding, attention weights, greedy decoding."""

import pytest
import torch
from torch import nn

from torch_nn.decoding import greedy_decode
from torch_nn.parameters import parameter_count
from torch_nn.transformer import Transformer


def tiny(**changes):
    torch.manual_seed(0)
    settings = {"d_model": 16, "n_heads": 2, "d_ff": 32, "max_length": 12, "dropout": 0.0}
    return Transformer(7, 9, **{**settings, **changes})


def test_attention_comes_with_the_same_logits():
    model = tiny()
    source, target = torch.randint(7, (2, 6)), torch.randint(9, (2, 5))
    logits, encoder_weights, self_weights, cross_weights = model.forward_with_attention(
        source, target
    )
    assert torch.equal(logits, model(source, target)) and logits.shape == (2, 5, 9)
    assert [w.shape for w in encoder_weights] == [(2, 2, 6, 6)] * 2
    assert [w.shape for w in self_weights] == [(2, 2, 5, 5)] * 2
    assert [w.shape for w in cross_weights] == [(2, 2, 5, 6)] * 2


def test_the_target_embedding_is_the_output_projection():
    model = tiny()
    assert model.output_projection.weight is model.target_embedding.weight
    stacks = parameter_count(model.encoder) + parameter_count(model.decoder)
    assert parameter_count(model) == stacks + (7 + 9) * 16


def test_a_scaled_embedding_starts_with_deviation_one():
    model = Transformer(500, 500, 64, 4)
    for embedding in (model.source_embedding, model.target_embedding):
        assert (embedding.weight * model.scale).std().item() == pytest.approx(1, rel=0.02)


def test_the_stacks_start_xavier_uniform_and_their_vectors_as_torch_draws_them():
    model = Transformer(7, 9, 64, 4, 1, 1, 96)
    for stack in (model.encoder, model.decoder):
        for name, parameter in stack.named_parameters():
            if parameter.dim() > 1:
                bound = (6 / sum(parameter.shape)) ** 0.5
                assert 0.95 * bound < parameter.abs().max() <= bound, name
                assert parameter.std().item() == pytest.approx(bound / 3**0.5, rel=0.05), name
            elif "norm.weight" in name:
                assert (parameter == 1).all(), name


@pytest.mark.slow
def test_learns_to_copy_and_decodes_greedily():
    """A sequence is copied after a short training; decoding stops at the end token."""
    torch.manual_seed(0)
    model = Transformer(8, 8, 32, 4, 1, 1, 64, max_length=8, dropout=0.0, pre_norm=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    start, end = 0, 1
    for _ in range(200):
        words = torch.randint(2, 8, (32, 4))
        target = torch.cat([torch.full((32, 1), start), words, torch.full((32, 1), end)], dim=1)
        logits = model(words, target[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    words = torch.randint(2, 8, (20, 4))
    decoded = greedy_decode(model, words, start, end, max_length=7)
    expected = torch.cat([words, torch.full((20, 1), end)], dim=1)
    assert (decoded[:, :5] == expected).all(dim=1).float().mean() > 0.9


def test_the_defaults_are_a_small_post_norm_model():
    """As in the paper, but narrower and less deep."""
    model = Transformer(7, 9)
    assert repr(model) == repr(Transformer(7, 9, 128, 4, 2, 2, 512, 256, 0.1, "relu", False))
    layer = model.decoder.layers[0]
    assert layer.self_attention.inner.n_heads == 4 and not layer.self_attention.pre_norm
    assert layer.self_attention.dropout.dropped == round(0.1 * 2**16)
    assert len(model.source_positions.table) == len(model.target_positions.table) == 256


def test_greedy_decoding_fills_up_ended_rows():
    """Two rows of different lengths: after its end a row is padding, by default the end token."""
    model = tiny().eval()
    source = torch.randint(7, (8, 6))
    free = greedy_decode(model, source, 0, -1, 10)  # no token ends it
    assert free.shape == (8, 10)
    end = free[0, 1].item()
    ended = greedy_decode(model, source, 0, end, 10, pad_token=8)
    defaults = greedy_decode(model, source, 0, end, 10)
    for row, default, long in zip(ended.tolist(), defaults.tolist(), free.tolist(), strict=True):
        stop = long.index(end) + 1 if end in long else len(long)
        assert row == (long[:stop] + [8] * 10)[: len(row)]
        assert default == (long[:stop] + [end] * 10)[: len(default)]
    assert ended.size(1) == max(row.index(end) + 1 if end in row else 10 for row in free.tolist())
