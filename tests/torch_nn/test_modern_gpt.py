"""The modern GPT: causal; cached and uncached, fused and explicit attention give the same."""

import math

import pytest
import torch
from torch import nn

from torch_nn.flops import forward_flops
from torch_nn.gpt import next_token_loss
from torch_nn.modern_gpt import CAP, KERNEL, ModernGPT
from torch_nn.sampling import sample

VOCABULARY, CONTEXT = 11, 12


def model(**changes):
    """A small model in double precision whose every parameter acts."""
    torch.manual_seed(0)
    shape = {"vocab_size": VOCABULARY, "context": CONTEXT, "n_layers": 3, "n_heads": 2}
    made = ModernGPT(**{**shape, "d_model": 8, **changes}).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made.eval()


def tokens(batch_size=2, length=CONTEXT):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(VOCABULARY, (batch_size, length), generator=generator)


def test_at_first_every_token_is_equally_likely():
    fresh = ModernGPT(VOCABULARY, CONTEXT, n_layers=2, n_heads=2, d_model=8)
    loss = next_token_loss(fresh, tokens(), tokens())
    assert loss.item() == pytest.approx(math.log(VOCABULARY))


def test_a_changed_token_changes_no_logits_before_it():
    net, x = model(), tokens()
    before = net(x)
    for place in (0, 5, CONTEXT - 1):
        changed = x.clone()
        changed[:, place] = (x[:, place] + 1) % VOCABULARY
        after = net(changed)
        assert torch.equal(after[:, :place], before[:, :place])
        assert (after[:, place:] != before[:, place:]).any(dim=-1).all()


@pytest.mark.parametrize("pieces", [[1] * CONTEXT, [CONTEXT], [5, 1, 1, 2, 3], [1, 11]])
def test_with_a_cache_the_logits_are_the_same(pieces):
    net, x = model(), tokens()
    cache, found = net.new_cache(2), []
    with torch.no_grad():
        for piece in x.split(pieces, dim=1):
            found.append(net(piece, cache))
        torch.testing.assert_close(torch.cat(found, dim=1), net(x), atol=1e-12, rtol=0)
    assert cache.length == CONTEXT
    with pytest.raises(ValueError, match="13 tokens do not fit into a context of 12"):
        net(x[:, :1], cache)


def test_a_cache_goes_on_with_chosen_rows():
    net, x = model(), tokens(3)
    cache, rows = net.new_cache(3), torch.tensor([2, 0, 0, 1])
    with torch.no_grad():
        net(x[:, :7], cache)
        cache.select(rows)
        torch.testing.assert_close(net(x[rows, 7:], cache), net(x[rows])[:, 7:])


def test_it_writes_with_a_cache_what_it_writes_without_one_beyond_the_context_too():
    net, written = model(), torch.tensor([[1, 2, 3]])
    found = sample(net, written, 15, seeds=[0], temperature=0)
    with torch.no_grad():
        for _ in range(15):
            chosen = net(written[:, -CONTEXT:])[:, -1:].argmax(dim=-1)  # (1, 1)
            written = torch.cat([written, chosen], dim=1)  # (1, T + 1)
    assert torch.equal(found, written)


def test_fused_and_explicit_attention_agree_in_values_and_gradients():
    fused, explicit = model(), model(attention="explicit")
    x = tokens()
    for net in (fused, explicit):
        next_token_loss(net, x[:, :-1], x[:, 1:]).backward()
    torch.testing.assert_close(fused(x), explicit(x), atol=1e-10, rtol=0)
    torch.testing.assert_close(fused.forward_with_attention(x)[0], explicit(x), atol=1e-10, rtol=0)
    for ours, theirs in zip(fused.parameters(), explicit.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-8, rtol=0)


def test_the_weights_of_a_picture_are_causal_averages():
    _, weights = model().forward_with_attention(tokens())
    assert [tuple(w.shape) for w in weights] == [(2, 2, CONTEXT, CONTEXT)] * 3
    for w in weights:
        torch.testing.assert_close(w.sum(dim=-1), torch.ones_like(w.sum(dim=-1)))
        assert (w.triu(1) == 0).all()


def test_no_logit_leaves_the_cap():
    net = model()
    nn.init.constant_(net.output_projection.weight, 1e6)
    assert net(tokens()).abs().max() <= CAP


def test_its_arithmetic_by_hand():
    width, length, layers = 8, CONTEXT, 3
    matrices = 12 * width**2 + 2 * KERNEL * width  # per token and block
    per_token = layers * (2 * matrices + 4 * length * width) + 2 * width * VOCABULARY
    assert forward_flops(model(), tokens(1)) == per_token * length


def test_every_dropout_acts_in_training_and_none_in_evaluation():
    net, x = model(dropout=0.5), tokens()
    assert torch.equal(net(x), net(x))
    droppers = [net.dropout, *(block.dropout for block in net.blocks)]
    for one in droppers:
        net.eval()
        one.train()
        assert not torch.equal(net(x), net(x))
