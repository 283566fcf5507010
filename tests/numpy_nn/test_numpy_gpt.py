"""The GPT by hand: every layer against differences and PyTorch; its cache, its mistakes."""

import math
import re

import numpy as np
import pytest
import torch

from gpt.compare_twins import torch_step
from gpt.numpy_model import optimiser_of, train_step
from gpt.settings import Recipe, Shape
from gpt.twin import build_twin, to_numpy, to_torch
from numpy_nn import (
    GPT,
    CausalSelfAttention,
    Embedding,
    PositionalEmbedding,
    SoftmaxCrossEntropy,
    forward_flops,
    gradcheck,
    sample,
)
from numpy_nn.attention import causal_softmax
from numpy_nn.gpt import Block
from torch_nn.attention import MultiHeadAttention
from torch_nn.optimisation import decay_groups

RNG = np.random.default_rng
SMALL = Shape(context=6, n_layers=2, n_heads=2, d_model=8)
TINY = Shape(context=5, n_layers=2, n_heads=2, d_model=4)  # for checks element by element
VOCABULARY = 7


def small(seed=0, scale=1.0, shape=SMALL, kind=GPT):
    """A small GPT; scale makes its weights large enough for attention that is not nearly even."""
    sizes = shape.context, shape.n_layers, shape.n_heads, shape.d_model
    model = kind(VOCABULARY, *sizes, RNG(seed))
    for parameter in model.parameters():
        if parameter.decay:
            parameter.value *= np.float32(scale)
        else:
            noise = RNG(seed + 1).standard_normal(parameter.value.shape)
            parameter.value += noise.astype(np.float32) / 8
    return model


def tokens(*shape, seed=1):
    return RNG(seed).integers(0, VOCABULARY, shape)


def floats(*shape, seed=1):
    return RNG(seed).standard_normal(shape).astype(np.float32)


# name -> (layer, input)
LAYERS = {
    "embedding": lambda: (Embedding(7, 4, RNG(0)), tokens(2, 5)),
    "positions": lambda: (PositionalEmbedding(6, 4, RNG(0)), floats(2, 5, 4)),
    "one head": lambda: (CausalSelfAttention(4, 1, RNG(0)), floats(1, 3, 4)),
    "attention": lambda: (CausalSelfAttention(6, 3, RNG(0)), floats(2, 5, 6)),
    "one token": lambda: (CausalSelfAttention(6, 3, RNG(0)), floats(2, 1, 6)),
    "block": lambda: (Block(6, 2, 1, RNG(0)), floats(2, 4, 6)),
    "gpt": lambda: (small(scale=10, shape=TINY), tokens(1, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_check(name):
    layer, x = LAYERS[name]()
    errors = gradcheck(layer, x)
    assert ("x" in errors) == (x.dtype.kind == "f")
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_and_nothing_given_is_changed(name):
    layer, x = LAYERS[name]()
    kept = x.copy()
    y = layer(x)
    grad = floats(*y.shape)
    grad_kept = grad.copy()
    grad_x = layer.backward(grad)
    assert y.dtype == np.float32 and (grad_x is None or grad_x.dtype == np.float32)
    assert all(p.grad.dtype == np.float32 for p in layer.parameters())
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(grad, grad_kept)


def attention_without_r(self, grad_output):
    """The backward pass of a softmax that forgets that its weights add up to 1."""
    self.heads = np.zeros_like(self.heads)
    return CausalSelfAttention.backward(self, grad_output)


def attention_without_scale(self, grad_output):
    """It forgets that scores were divided by sqrt(D), which all of dQ and dK would be."""
    grad = CausalSelfAttention.backward(self, grad_output)
    self.input_projection.weight.grad[:, : 2 * self.d_model] *= math.sqrt(self.width)
    return grad


def attention_of_the_diagonal(self, grad_output):
    """Each token hands its gradient to itself alone."""
    self.weights = np.eye(self.weights.shape[-1]) * self.weights
    return CausalSelfAttention.backward(self, grad_output)


@pytest.mark.parametrize(
    "wrong", [attention_without_r, attention_without_scale, attention_of_the_diagonal]
)
def test_a_wrong_backward_of_attention_is_caught(wrong):
    Broken = type("Broken", (CausalSelfAttention,), {"backward": wrong})
    errors = gradcheck(Broken(6, 3, RNG(0)), floats(2, 5, 6))
    assert max(errors.values()) > 1e-3


def test_a_tied_table_that_forgets_one_of_its_gradients_is_caught():
    class OutputAlone(GPT):
        def backward(self, grad_output):
            super().backward(grad_output)
            grad = grad_output.reshape(-1, self.vocab_size)
            self.embedding.table.grad[...] = grad.T @ self.hidden.reshape(-1, self.d_model)

    class InputAlone(GPT):
        def backward(self, grad_output):
            super().backward(grad_output)
            grad = grad_output.reshape(-1, self.vocab_size)
            self.embedding.table.grad -= grad.T @ self.hidden.reshape(-1, self.d_model)

    for Broken in (OutputAlone, InputAlone):
        errors = gradcheck(small(scale=10, shape=TINY, kind=Broken), tokens(1, 4))
        assert errors.pop("embedding.table") > 1e-3
        assert max(errors.values()) < 1e-6


def test_an_embedding_that_forgets_repeated_tokens_is_caught():
    class LastOneWins(Embedding):
        def backward(self, grad_output):
            self.table.grad[...] = 0
            self.table.grad[self.tokens] = grad_output.reshape(-1, self.channels)

    x = np.array([[0, 1, 1]])
    assert max(gradcheck(Embedding(3, 2, RNG(0)), x).values()) < 1e-6
    assert max(gradcheck(LastOneWins(3, 2, RNG(0)), x).values()) > 1e-3


def test_attention_agrees_with_torch():
    ours = CausalSelfAttention(8, 2, RNG(0))
    theirs = MultiHeadAttention(8, 2, causal=True)
    ours.input_projection.bias.value[:] = floats(24)
    qkv = (theirs.query_projection, theirs.key_projection, theirs.value_projection)
    for part, linear in enumerate(qkv):
        columns = slice(8 * part, 8 * part + 8)
        weight = ours.input_projection.weight.value[:, columns]
        linear.weight.data = torch.from_numpy(weight.T.copy())
        linear.bias.data = torch.from_numpy(ours.input_projection.bias.value[columns])
    output = ours.output_projection
    theirs.output_projection.weight.data = torch.from_numpy(output.weight.value.T.copy())
    theirs.output_projection.bias.data.zero_()

    x, grad = floats(3, 6, 8), floats(3, 6, 8, seed=2)
    tensor = torch.from_numpy(x).requires_grad_()
    expected, weights = theirs(tensor)
    np.testing.assert_allclose(ours(x), expected.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.weights, weights.detach().numpy(), atol=1e-5)
    expected.backward(torch.from_numpy(grad))
    np.testing.assert_allclose(ours.backward(grad), tensor.grad.numpy(), atol=1e-4)
    grads = torch.cat([linear.weight.grad for linear in qkv]).numpy().T
    np.testing.assert_allclose(ours.input_projection.weight.grad, grads, atol=1e-4)
    np.testing.assert_allclose(
        output.weight.grad, theirs.output_projection.weight.grad.numpy().T, atol=1e-4
    )


@pytest.mark.parametrize("attention", ["explicit", "fused"])
def test_the_gpt_agrees_with_its_twin_in_torch(attention):
    ours = small(scale=10)
    theirs = build_twin(SMALL, VOCABULARY, attention)
    theirs.load_state_dict(to_torch(ours.state_dict()))
    x, targets = tokens(3, 5), tokens(3, 5, seed=2)
    logits, loss = ours(x), SoftmaxCrossEntropy()
    expected = theirs(torch.from_numpy(x))
    np.testing.assert_allclose(logits, expected.detach().numpy(), rtol=1e-5, atol=1e-5)
    value = loss(logits.reshape(-1, VOCABULARY), targets.ravel())
    ours.backward(loss.backward().reshape(logits.shape))
    their_loss = torch.nn.functional.cross_entropy(
        expected.flatten(0, 1), torch.from_numpy(targets).flatten()
    )
    their_loss.backward()
    assert value == pytest.approx(their_loss.item(), abs=1e-5)
    # Gradients go the way of weights; the tied table is there once.
    grads = to_numpy({name: p.grad for name, p in theirs.named_parameters()})
    for name, parameter in ours.named_parameters():
        np.testing.assert_allclose(parameter.grad, grads[name], rtol=1e-4, atol=1e-4, err_msg=name)


def test_weights_go_both_ways():
    ours = small()
    theirs = build_twin(SMALL, VOCABULARY)
    before = theirs.state_dict()
    there = to_torch(to_numpy(before))
    assert there.keys() == before.keys()
    assert all(torch.equal(there[name], before[name]) for name in before)
    back = to_numpy(to_torch(ours.state_dict()))
    assert back.keys() == ours.state_dict().keys()
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(back[name], array)


def test_the_twins_learn_on_one_curve_in_float64():
    """50 steps with AdamW, weight decay and clipping: the losses differ by less than 1e-6."""
    recipe = Recipe(lr=0.01)
    ours = small().astype(np.float64)
    theirs = build_twin(SMALL, VOCABULARY).double()
    theirs.load_state_dict(to_torch(ours.state_dict()))
    optimiser = optimiser_of(ours, recipe)
    optimizer = torch.optim.AdamW(decay_groups(theirs, 0.1), 0.01, (0.9, 0.99))
    losses = []
    for step in range(50):
        x = tokens(4, 6, seed=step)
        batch = x, (x + 1) % VOCABULARY
        loss = train_step(ours, optimiser, *batch, clip=0.5)
        their_loss = torch_step(theirs, optimizer, *map(torch.from_numpy, batch), clip=0.5)
        losses.append((loss, their_loss))
    by_hand, by_autograd = np.array(losses).T
    assert np.abs(by_hand - by_autograd).max() < 1e-6
    assert by_hand[-1] < by_hand[0] / 2  # they learned


def test_no_token_sees_a_later_one():
    model, x = small(scale=10), tokens(1, 6)
    changed = x.copy()
    changed[0, 3] = (x[0, 3] + 1) % VOCABULARY
    before, after = model(x).copy(), model(changed)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3:] - after[:, 3:]).max(axis=-1).min() > 1e-4


def test_attention_weights_are_shares_of_the_tokens_so_far():
    scores = floats(2, 3, 5, 5) * 1000  # without the largest subtracted, exp would overflow
    weights = causal_softmax(scores.copy(), 0.5)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)
    assert not np.triu(weights, 1).any()
    last = causal_softmax(scores[..., -1:, :].copy(), 0.5)
    np.testing.assert_array_equal(last, weights[..., -1:, :])


def test_a_cache_changes_no_logit():
    model, x = small(scale=10), tokens(3, 6)
    expected = model(x).copy()
    for cuts in ((1, 2, 3, 4, 5), (4,), (2, 5)):
        caches = model.new_caches(3)
        parts = [model(part, caches) for part in np.split(x, cuts, axis=1)]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), expected, atol=1e-5)
        assert {cache.length for cache in caches} == {6}


def test_sampling_with_its_cache_draws_what_it_draws_without():
    model, start = small(scale=10), tokens(2, 3)
    drawn = sample(model, start, 9, RNG(0), temperature=0)  # beyond the context of 6
    expected = start
    for _ in range(9):
        logits = model(expected[:, -6:])[:, -1]
        expected = np.concatenate([expected, logits.argmax(axis=1)[:, None]], axis=1)
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.shape == (2, 12)


def test_draws_have_the_frequencies_of_the_softmax():
    model, start = small(scale=10), np.tile(tokens(1, 3), (4000, 1))
    logits = model(start[:1])[0, -1].astype(np.float64)
    for temperature, top_k in ((1.0, None), (0.5, 3)):
        drawn = sample(model, start, 1, RNG(0), temperature, top_k)[:, -1]
        z = logits / temperature
        if top_k:
            z[np.argsort(z)[:-top_k]] = -math.inf
        p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        np.testing.assert_allclose(np.bincount(drawn, minlength=7) / 4000, p, atol=0.03)
    assert (sample(model, start, 1, RNG(1), 1.0, 1)[:, -1] == logits.argmax()).all()


def test_flops_are_those_worked_out_on_paper():
    """B 3, T 5, C 8, V 7, 2 layers. Each: 2 x 15 x (8 x 24 + 8 x 8 + 2 x 8 x 32) = 23,040 in the
    projections, 2 x 3 x (2 x 5 x 5 x 8) = 2,400 in Q K^T and A V; the last product: 2 x 15 x 8 x 7.
    """
    assert forward_flops(small(), tokens(3, 5)) == 2 * (23_040 + 2_400) + 1_680


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CausalSelfAttention(10, 4, RNG(0)), "d_model a multiple of n_heads 4, found 10"),
        (lambda: small()(np.array([[0, 7]])), r"tokens in \[0, 7\), found 0 to 7"),
        (lambda: small()(np.array([[-1, 2]])), r"tokens in \[0, 7\), found -1 to 2"),
        (lambda: small()(tokens(2, 7)), "at most 6 tokens, found 7"),
        (lambda: small()(tokens(5)), r"shape \(B, T\)"),
        (lambda: small()(floats(2, 5)), "found float32"),
        (lambda: small().backward(floats(2, 5, 7)), "forward before backward"),
        (lambda: sample(small(), tokens(1, 2), 1, RNG(0), -1.0), "temperature >= 0"),
        (lambda: sample(small(), tokens(1, 2), 1, RNG(0), 1.0, 0), "top_k >= 1"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_too_many_tokens_for_the_cache_are_refused():
    model = small()
    caches = model.new_caches(1)
    model(tokens(1, 4), caches)
    with pytest.raises(ValueError, match="at most 6 tokens, found 7"):
        model(tokens(1, 3), caches)


def test_the_backward_pass_of_attention_is_short(repository):
    """An issue's figure that is easy to lose: at most 60 lines without the docstring."""
    text = (repository / "scripts/numpy_nn/attention.py").read_text()
    body = re.search(r"^class CausalSelfAttention.*?(?=^\S)", text, re.M | re.S)[0]
    body = re.sub(r'^    """.*?"""\n', "", body, count=1, flags=re.M | re.S)
    assert len([line for line in body.splitlines() if line.strip()]) <= 60
