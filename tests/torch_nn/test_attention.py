"""Attention against PyTorch's own (oracle), masks as properties, a worked example."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch_layers import assert_same, pairs, same_weights

from torch_nn.attention import (
    MultiHeadAttention,
    causal_mask,
    fused_attention,
    padding_mask,
    scaled_dot_product_attention,
)


def test_worked_example():
    """One query, two keys, D = 1: weights softmax(1, 2) = (0.2689, 0.7311)."""
    q, k = torch.tensor([[1.0]]), torch.tensor([[1.0], [2.0]])
    output, weights = scaled_dot_product_attention(q, k, torch.tensor([[10.0], [20.0]]))
    second = 1 / (1 + math.exp(-1))
    assert torch.allclose(weights, torch.tensor([[1 - second, second]]))
    assert torch.allclose(output, torch.tensor([[10 * (1 - second) + 20 * second]]))


SHAPES = [(1, 1, 1), (5, 5, 8), (3, 7, 4)]  # Tq, Tk, D; a causal mask is square


@pytest.mark.parametrize(
    ("tq", "tk", "width", "masked"),
    [
        (*shape, masked)
        for shape in SHAPES
        for masked in ("none", "causal", "random")
        if masked != "causal" or shape[0] == shape[1]
    ],
)
def test_equals_torch_forward_and_backward(masked, tq, tk, width):
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, t, width, requires_grad=True) for t in (tq, tk, tk))
    mask = {"none": None, "causal": causal_mask(tq), "random": torch.rand(2, 1, tq, tk) < 0.6}
    mask = mask[masked]
    if masked == "random":
        mask[..., 0] = True
    ours, weights = scaled_dot_product_attention(q, k, v, mask)
    oracle = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    assert torch.allclose(ours, oracle, atol=1e-6)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 3, tq), atol=1e-6)
    grad = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad(ours, (q, k, v), grad),
        torch.autograd.grad(oracle, (q, k, v), grad),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-5)


def test_a_fully_masked_row_is_zero_with_finite_gradients():
    q, k, v = (torch.randn(1, 2, 4, 8, requires_grad=True) for _ in range(3))
    mask = causal_mask(4).clone()
    mask[2] = False
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    assert not output[:, :, 2].any() and not weights[:, :, 2].any()
    output.sum().backward()
    assert all(torch.isfinite(x.grad).all() for x in (q, k, v))
    assert not q.grad[:, :, 2].any()


def test_a_float_mask_is_refused():
    x = torch.randn(1, 1, 2, 4)
    with pytest.raises(ValueError, match="expected bool"):
        scaled_dot_product_attention(x, x, x, torch.ones(2, 2))


def test_masks():
    assert causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    mask = padding_mask(torch.tensor([0, 2, 3]), 3)
    assert mask.shape == (3, 1, 1, 3)
    assert mask.flatten(1).tolist() == [[False] * 3, [True, True, False], [True] * 3]


@pytest.mark.parametrize("cross", [False, True])
def test_multi_head_attention_equals_torch(cross):
    torch.manual_seed(1)
    theirs, ours = nn.MultiheadAttention(12, 3, batch_first=True), MultiHeadAttention(12, 3)
    matched = same_weights(ours, pairs(ours, theirs))
    query, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    key = memory if cross else query
    mask = padding_mask(torch.tensor([3, key.size(1)]), key.size(1))
    expected, expected_weights = theirs(
        query, key, key, key_padding_mask=~mask[:, 0, 0], average_attn_weights=False
    )
    output, weights = ours(query, key if cross else None, mask=mask)
    torch.testing.assert_close(weights, expected_weights, atol=1e-6, rtol=1e-5)
    assert_same(output, expected, matched)


def test_dropout_acts_on_the_weights_in_training_only():
    """The weights that are returned are those before dropout: they sum to 1."""
    attention, x = MultiHeadAttention(8, 2, dropout=0.5), torch.randn(1, 6, 8)
    (first, weights), (second, _) = attention(x), attention(x)
    assert not torch.equal(first, second)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 6))
    attention.eval()
    assert torch.equal(attention(x)[0], attention(x)[0])


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="not a multiple"):
        MultiHeadAttention(10, 4)


@pytest.mark.parametrize("tk", [5, 8])
@pytest.mark.parametrize("masked", ["none", "causal", "padding", "both"])
def test_the_fused_kernel_gives_the_same_output_and_gradients(masked, tk):
    """With more keys than queries these are the last: what a cache is asked by a few new tokens."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, t, 4, requires_grad=True) for t in (5, tk, tk))
    causal = masked in ("causal", "both")
    mask = padding_mask(torch.tensor([tk, 4]), tk) if masked in ("padding", "both") else None
    found = fused_attention(q, k, v, mask, causal)
    before = causal_mask(5, tk) if causal else None
    joined = before if mask is None else mask if before is None else mask & before
    expected, _ = scaled_dot_product_attention(q, k, v, joined)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn_like(found)
    for ours, theirs in zip(
        torch.autograd.grad(found, (q, k, v), direction),
        torch.autograd.grad(expected, (q, k, v), direction),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_the_fused_kernel_gives_a_fully_masked_row_zero():
    q, k, v = (torch.randn(1, 2, 4, 8) for _ in range(3))
    mask = causal_mask(4).clone()
    mask[2] = False
    output = fused_attention(q, k, v, mask)
    assert torch.isfinite(output).all() and not output[:, :, 2].any()


def test_the_causal_mask_of_the_last_queries():
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]


def test_grouped_queries_are_heads_that_share_keys_and_values():
    """Four heads over two: as full attention whose key and value matrices repeat those rows."""
    torch.manual_seed(0)
    grouped = MultiHeadAttention(8, 4, n_kv_heads=2)
    full = MultiHeadAttention(8, 4)
    weights = grouped.state_dict()
    for name in ("key_projection.weight", "value_projection.weight"):
        weights[name] = weights[name].view(2, 2, 8).repeat_interleave(2, 0).flatten(0, 1)
    for name in ("key_projection.bias", "value_projection.bias"):
        weights[name] = weights[name].view(2, 2).repeat_interleave(2, 0).flatten()
    full.load_state_dict(weights)
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    for inputs in ((x,), (x, memory)):
        for ours, theirs in zip(grouped(*inputs), full(*inputs), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    with pytest.raises(ValueError, match="multiple of n_kv_heads 3"):
        MultiHeadAttention(8, 4, n_kv_heads=3)


def test_a_fused_attention_returns_its_weights_if_needed_and_drops_in_training():
    torch.manual_seed(0)
    explicit = MultiHeadAttention(8, 2, dropout=0.5, causal=True)
    fused = MultiHeadAttention(8, 2, dropout=0.5, causal=True, fused=True)
    fused.load_state_dict(explicit.state_dict())
    x, found = torch.randn(2, 5, 8), []
    for module in (explicit, fused):
        torch.manual_seed(1)
        found.append(module(x, need_weights=False)[0])
    assert torch.equal(*found)  # the same elements were dropped
    plain = fused.eval()(x, need_weights=False)
    assert plain[1] is None and not torch.allclose(plain[0], found[0], atol=1e-3)
    output, weights = fused(x)
    assert torch.equal(weights, explicit.eval()(x)[1])
    torch.testing.assert_close(output, plain[0], atol=1e-5, rtol=1e-5)
