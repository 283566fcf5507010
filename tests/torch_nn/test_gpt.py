"""GPT: size by hand, initialisation, learning; sampling as it is defined."""

import math

import pytest
import torch

from torch_nn.gpt import GPT, next_token_loss
from torch_nn.parameters import parameter_count
from torch_nn.sampling import sample, token_distribution


def tiny(**changes):
    torch.manual_seed(0)
    settings = {"vocab_size": 11, "context": 8, "n_layers": 2, "n_heads": 2, "d_model": 16}
    return GPT(**{**settings, **changes})


def test_attention_comes_with_the_same_logits():
    tokens = torch.randint(11, (3, 7))
    for attention in ("explicit", "fused"):
        model = tiny(attention=attention)
        logits, weights = model.forward_with_attention(tokens)
        torch.testing.assert_close(logits, model(tokens), atol=1e-6, rtol=1e-5)
        assert logits.shape == (3, 7, 11)
    assert [w.shape for w in weights] == [(3, 2, 7, 7)] * 2
    assert not torch.cat(weights).triu(1).any()


def test_parameter_count_by_hand():
    """A block: attention 4 (C^2 + C), feed-forward 8 C^2 + 5 C, two norms 4 C = 12 C^2 + 13 C."""
    block = 12 * 16**2 + 13 * 16
    assert parameter_count(tiny()) == 11 * 16 + 8 * 16 + 2 * block + 2 * 16
    assert parameter_count(tiny(positions="sinusoidal")) == 11 * 16 + 2 * block + 2 * 16


def test_initialisation_is_that_of_gpt2():
    model = tiny(vocab_size=200, d_model=128, n_layers=8)
    layer = model.blocks.layers[3]
    attention, feed_forward = layer.attention.inner, layer.feed_forward.inner
    scaled = 0.02 / math.sqrt(16)
    assert attention.query_projection.weight.std().item() == pytest.approx(0.02, rel=0.05)
    for last in (attention.output_projection, feed_forward.down_projection):
        assert last.weight.std().item() == pytest.approx(scaled, rel=0.05)
        assert not last.bias.any()
    loss = next_token_loss(model.eval(), torch.randint(200, (4, 8)), torch.randint(200, (4, 8)))
    assert loss.item() == pytest.approx(math.log(200), rel=0.05)


def test_the_loss_is_a_float32_of_any_logits():
    tokens = torch.zeros(2, 4, dtype=torch.long)
    loss = next_token_loss(tiny().bfloat16(), tokens, tokens)
    assert loss.dtype is torch.float32 and loss.shape == ()


def test_overfits_a_tiny_text_and_recites_it():
    text = "a tale of one mouse and two cats"
    letters = sorted(set(text))
    tokens = torch.tensor([[letters.index(c) for c in text]])
    model = tiny(vocab_size=len(letters), context=len(text), d_model=32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        loss = next_token_loss(model, tokens[:, :-1], tokens[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    found = sample(model, tokens[:, :3], len(text) - 3, [0], temperature=0)
    assert "".join(letters[i] for i in found[0]) == text


def test_too_long_an_input_is_refused():
    with pytest.raises(ValueError, match="9 tokens"):
        tiny()(torch.zeros(1, 9, dtype=torch.long))


LOGITS = torch.log(torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64))


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({}, [0.1, 0.4, 0.2, 0.3]),
        ({"temperature": 0.5}, [1 / 30, 16 / 30, 4 / 30, 9 / 30]),
        ({"temperature": 0}, [0, 1, 0, 0]),
        ({"top_k": 1}, [0, 1, 0, 0]),
        ({"top_k": 2}, [0, 4 / 7, 0, 3 / 7]),
        ({"top_k": 9}, [0.1, 0.4, 0.2, 0.3]),
        ({"top_p": 0.05}, [0, 1, 0, 0]),
        ({"top_p": 0.65}, [0, 4 / 7, 0, 3 / 7]),
        ({"top_p": 0.75}, [0, 4 / 9, 2 / 9, 3 / 9]),
        ({"top_p": 1.0}, [0.1, 0.4, 0.2, 0.3]),
        # top-p is taken of what top-k left: 4/7 = 0.571 reaches 0.55 alone.
        ({"top_k": 2, "top_p": 0.55}, [0, 1, 0, 0]),
        ({"temperature": 0.5, "top_k": 3, "top_p": 0.6}, [0, 16 / 25, 0, 9 / 25]),
    ],
)
def test_token_distribution_worked_example(settings, expected):
    found = token_distribution(LOGITS, **settings)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_ties_keep_exactly_k_the_lower_numbers_first():
    """An unstable sort keeps the order of up to 16 equal numbers too, so that there are more."""
    found = token_distribution(torch.zeros(2, 100), top_k=2)
    assert found.tolist() == [[0.5, 0.5] + [0] * 98] * 2
    assert token_distribution(torch.zeros(100), top_p=0.045).nonzero().flatten().tolist() == [
        *range(5)
    ]


@pytest.mark.parametrize("settings", [{"top_k": 2}, {"top_p": 0.6}, {"temperature": 0}])
def test_each_row_of_a_batch_is_a_distribution_of_its_own(settings):
    rows = torch.tensor([[3.0, 1.0, 0.0, -1.0], [0.0, 0.1, 0.2, 0.3], [-5.0, 5.0, 4.9, 0.0]])
    found = token_distribution(rows, **settings)
    assert torch.equal(found, torch.stack([token_distribution(row, **settings) for row in rows]))


def test_temperature_towards_zero_is_argmax():
    near = token_distribution(LOGITS, temperature=1e-3)
    assert torch.allclose(near, token_distribution(LOGITS, temperature=0), atol=1e-9)


@pytest.mark.parametrize(
    "bad", [{"temperature": -1.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}]
)
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        token_distribution(LOGITS, **bad)


def test_sampling_is_reproducible_by_its_own_generator():
    model, prompt = tiny(), torch.zeros(3, 1, dtype=torch.long)
    first = sample(model, prompt, 20, [5] * len(prompt))
    torch.manual_seed(99)
    again = sample(model, prompt, 20, [5] * len(prompt))
    other = sample(model, prompt, 20, [6] * len(prompt))
    assert first.shape == (3, 21) and torch.equal(first, again) and not torch.equal(first, other)


def test_a_stopped_row_stays_stopped():
    model, prompt = tiny(), torch.zeros(8, 1, dtype=torch.long)
    tokens = sample(model, prompt, 60, range(len(prompt)), stop_token=4)
    for row in tokens.tolist():
        assert 4 not in row or set(row[row.index(4) :]) == {4}
    assert all(4 in row for row in tokens.tolist())
