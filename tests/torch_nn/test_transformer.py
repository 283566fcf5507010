"""The Transformer's own: tied and shared embeddings, attention weights, greedy decoding."""

import pytest
import torch
from torch import nn

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


def test_tying_and_sharing():
    tied, free = tiny(), tiny(tie_embeddings=False)
    assert tied.output_projection.weight is tied.target_embedding.weight
    assert parameter_count(free) - parameter_count(tied) == 9 * 16
    shared = Transformer(9, 9, 16, 2, share_embeddings=True)
    assert shared.source_embedding is shared.target_embedding
    with pytest.raises(ValueError, match="shared"):
        tiny(share_embeddings=True)


def test_a_scaled_embedding_starts_with_deviation_one():
    model = Transformer(500, 500, 64, 4)
    for embedding in (model.source_embedding, model.target_embedding):
        assert (embedding.weight * model.scale).std().item() == pytest.approx(1, rel=0.02)


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
    expected = torch.cat([words, torch.full((20, 1), end)], dim=1)
    assert (decoded[:, :5] == expected).all(dim=1).float().mean() > 0.9
