"""The key-value cache: the same logits as without it, at every position and beyond the context."""

import pytest
import torch
from torch.testing import assert_close

from torch_nn.generation import generate
from torch_nn.gpt import GPT
from torch_nn.transformer import Transformer

CONTEXT = 8
LLAMA = {
    "positions": "rotary",
    "n_kv_heads": 2,
    "norm": "rms",
    "activation": "swiglu",
    "bias": False,
    "tied": False,
}
MODELS = {
    "gpt2": {},
    "sinusoidal": {"positions": "sinusoidal"},
    "llama": LLAMA,
    "explicit": {"attention": "explicit"},
    "explicit llama": {**LLAMA, "attention": "explicit"},
}


def randomised(model):
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


def gpt(name):
    return randomised(GPT(11, CONTEXT, 2, 4, 16, dropout=0.1, **MODELS[name]))


@pytest.mark.parametrize("chunks", [[1] * CONTEXT, [CONTEXT], [3, 1, 4], [1, 5, 2]])
@pytest.mark.parametrize("name", MODELS)
def test_cached_logits_are_those_of_the_whole_sequence(name, chunks):
    model, tokens = gpt(name), torch.randint(11, (3, CONTEXT))
    cache = model.new_cache(3)
    with torch.no_grad():
        found = [model(chunk, cache) for chunk in tokens.split(chunks, dim=1)]
        assert_close(torch.cat(found, dim=1), model(tokens), atol=1e-5, rtol=1e-5)
    assert cache.length == CONTEXT
    with pytest.raises(ValueError, match="9 tokens do not fit into a context of 8"):
        model(tokens[:, :1], cache)


@pytest.mark.parametrize("name", MODELS)
def test_generation_sees_the_last_tokens_of_its_context_and_no_others(name):
    """What `choose` is given, beyond the context too, is what the model says of that window."""
    model, prompt = gpt(name), torch.randint(11, (3, 2))
    seen = []

    def choose(logits, tokens):
        expected = model(tokens[:, -CONTEXT:])[:, -1]
        assert_close(logits, expected, atol=1e-5, rtol=1e-5)
        seen.append(tokens.size(1))
        return (tokens[:, -1] * 7 + tokens.size(1)) % 11

    tokens = generate(model, prompt, 2 * CONTEXT, choose)
    assert tokens.shape == (3, 2 + 2 * CONTEXT) and seen == [*range(2, 2 + 2 * CONTEXT)]
    assert torch.equal(tokens[:, :2], prompt)


def test_prompts_of_different_lengths_are_continued_as_if_each_were_alone():
    model = gpt("gpt2")
    prompts = torch.randint(11, (3, 6))
    lengths = torch.tensor([2, 6, 3])
    likeliest = lambda logits, tokens: logits.argmax(dim=-1)  # noqa: E731
    together = generate(model, prompts, 5, likeliest, lengths=lengths)
    for row, prompt, length in zip(together, prompts, lengths.tolist(), strict=True):
        alone = generate(model, prompt[None, :length], 11 - length, likeliest)
        assert torch.equal(row, alone[0])


def test_a_stop_token_in_the_prompt_stops_nothing():
    model, calls = gpt("gpt2"), []

    def choose(logits, tokens):
        calls.append(tokens.size(1))
        return torch.full((2,), 4 if tokens.size(1) > 4 else 1)

    prompt = torch.tensor([[4, 2, 4], [4, 4, 4]])
    found = generate(model, prompt, 9, choose, stop_token=4, lengths=torch.tensor([1, 3]))
    assert found.tolist() == [[4, 1, 1, 1, 1, 4], [4, 4, 4, 1, 1, 4]]
    assert calls == [1, 2, 3, 4, 5]


def test_selected_rows_go_on_alone():
    model, tokens = gpt("llama"), torch.randint(11, (3, 6))
    cache, rows = model.new_cache(3), torch.tensor([2, 0, 2, 1])
    with torch.no_grad():
        model(tokens[:, :4], cache)
        cache.select(rows)
        found = model(tokens[rows, 4:], cache)
        assert_close(found, model(tokens)[rows, 4:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("attention", ["explicit", "fused"])
def test_a_cached_decoder_says_the_same_and_reads_the_memory_once(attention):
    model = randomised(Transformer(7, 9, 16, 2, 1, 2, 24, 6, pre_norm=True, attention=attention))
    source, target = torch.randint(7, (2, 5)), torch.randint(9, (2, 6))
    lengths = torch.tensor([5, 3])
    with torch.no_grad():
        expected, memory = model(source, target, lengths), model.encode(source, lengths)[0]
        cache = model.new_cache(2, 5)
        found = []
        for token in target.split(1, dim=1):
            found.append(model.decode(token, memory, lengths, cache)[0])
            memory = torch.full_like(memory, torch.nan)
    assert_close(torch.cat(found, dim=1), expected, atol=1e-5, rtol=1e-5)
