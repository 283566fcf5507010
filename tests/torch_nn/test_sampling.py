"""The choice of the next token: transformers' logits processors are the oracle."""

import math

import pytest
import torch
import transformers

from torch_nn.gpt import GPT
from torch_nn.sampling import keep_min_p, penalise_repetition, sample, token_distribution

LOGITS = 3 * torch.randn(40, 50, generator=torch.Generator().manual_seed(0)).double()
TOKENS = torch.randint(0, 50, (40, 12), generator=torch.Generator().manual_seed(1))
WARPERS = {
    "temperature": "TemperatureLogitsWarper",
    "top_k": "TopKLogitsWarper",
    "top_p": "TopPLogitsWarper",
    "min_p": "MinPLogitsWarper",
}


@pytest.mark.parametrize(
    "way",
    [
        {"temperature": 0.6},
        {"top_k": 7},
        {"top_p": 0.7},
        {"min_p": 0.05},
        {"min_p": 1.0},
        {"temperature": 1.3, "top_k": 20, "top_p": 0.9, "min_p": 0.1},
    ],
)
def test_what_is_kept_is_what_transformers_keeps(way):
    expected = LOGITS
    for name, value in way.items():
        expected = getattr(transformers, WARPERS[name])(value)(TOKENS, expected)
    found = token_distribution(LOGITS, **way)
    torch.testing.assert_close(found, expected.softmax(-1), atol=1e-12, rtol=0)


@pytest.mark.parametrize("penalty", [0.8, 1.0, 1.5])
def test_repetition_is_penalised_as_in_transformers(penalty):
    expected = transformers.RepetitionPenaltyLogitsProcessor(penalty)(TOKENS, LOGITS.clone())
    torch.testing.assert_close(penalise_repetition(LOGITS, TOKENS, penalty), expected)


def test_min_p_by_hand():
    """Of 8 / 12, 3 / 12, 1 / 12 the last is less than a quarter of the first."""
    kept = keep_min_p(torch.log(torch.tensor([8.0, 3.0, 1.0])), 0.25)
    assert kept.isinf().tolist() == [False, False, True]


@pytest.mark.parametrize("bad", [{"min_p": 0.0}, {"min_p": 1.01}])
def test_a_min_p_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match="expected 0 < min_p <= 1"):
        token_distribution(LOGITS, **bad)


def model():
    torch.manual_seed(0)
    return GPT(vocab_size=11, context=8, n_layers=1, n_heads=2, d_model=8).double()


def test_a_prompt_is_continued_alone_as_in_a_batch():
    prompts = [[1], [1, 2, 3], [4, 5]]
    tokens = torch.zeros(3, 3, dtype=torch.int64)
    for row, prompt in zip(tokens, prompts, strict=True):
        row[: len(prompt)] = torch.tensor(prompt)
    lengths = torch.tensor([1, 3, 2])
    way = {"temperature": 1.5, "min_p": 0.01, "repetition_penalty": 1.2}
    together = sample(model(), tokens, 12, [7, 8, 9], lengths=lengths, **way)
    for row, prompt, seed in zip(together, prompts, [7, 8, 9], strict=True):
        alone = sample(model(), torch.tensor([prompt]), 12, [seed], **way)[0]
        assert row[: len(alone)].tolist() == alone.tolist()


def test_draws_follow_the_distribution():
    """Of 4,000 rows of their own seeds: each token's share within four standard deviations."""
    net, prompt = model(), torch.ones(4000, 1, dtype=torch.int64)
    with torch.no_grad():
        wanted = token_distribution(net(prompt[:1])[0, -1], temperature=2.0)
    drawn = sample(net, prompt, 1, range(4000), temperature=2.0)[:, 1]
    found = torch.bincount(drawn, minlength=11) / 4000
    assert (found - wanted).abs().max() < 4 * math.sqrt(0.25 / 4000)


def test_all_tokens_so_far_are_penalised():
    net, tokens = model(), torch.tensor([[1, 2, 3]])
    found = sample(net, tokens, 9, [0], temperature=0.0, repetition_penalty=3.0)
    with torch.no_grad():
        for _ in range(9):
            logits = penalise_repetition(net(tokens[:, -8:])[:, -1], tokens, 3.0)
            tokens = torch.cat([tokens, logits.argmax(-1, keepdim=True)], dim=1)
    assert torch.equal(found, tokens)


def test_each_column_is_told_as_it_is_drawn():
    columns = []
    prompts, lengths = torch.tensor([[1, 0], [2, 3]]), torch.tensor([1, 2])
    found = sample(model(), prompts, 9, [7, 8], lengths=lengths, told=columns.append)
    assert torch.equal(torch.stack(columns, dim=1), found[:, 1:])
