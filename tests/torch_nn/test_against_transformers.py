"""GPT told to be GPT-2 and told to be Llama, against transformers' with copied weights."""

import pytest
import torch
import transformers
from torch.testing import assert_close

from torch_nn.gpt import GPT

TOKENS = torch.tensor([[1, 5, 9, 2, 2, 10, 0], [3, 3, 8, 7, 6, 0, 4]])


def moved(model):
    """No parameter is at its start: each has a say in the logits."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


def assert_same_logits(ours, theirs):
    """Of the whole sequence, and of all that a cache gives token by token."""
    cache = ours.new_cache(2)
    with torch.no_grad():
        expected = theirs(TOKENS).logits
        assert_close(ours(TOKENS), expected, atol=1e-4, rtol=1e-4)
        token_reader = ours.token_reader(cache)
        read = [token_reader(token) for token in TOKENS.unbind(dim=1)]
    assert_close(torch.stack(read, dim=1), expected, atol=1e-4, rtol=1e-4)


GPT2_NAMES = {
    "attention.norm": "ln_1",
    "attention.inner.joined": "attn.c_attn",
    "attention.inner.output_projection": "attn.c_proj",
    "feed_forward.norm": "ln_2",
    "feed_forward.inner.up_projection": "mlp.c_fc",
    "feed_forward.inner.down_projection": "mlp.c_proj",
}


@pytest.mark.parametrize("attention", ["explicit", "fused"])
def test_gpt2(attention):
    shape = {"n_layer": 2, "n_head": 2, "n_embd": 8, "n_positions": 7, "vocab_size": 11}
    theirs = moved(
        transformers.GPT2LMHeadModel(
            transformers.GPT2Config(**shape, bos_token_id=None, eos_token_id=None)
        )
    )
    ours = GPT(11, 7, 2, 2, 8, activation="gelu tanh", attention=attention).eval()
    found = theirs.state_dict()
    weights = {
        "embedding.weight": found["transformer.wte.weight"],
        "positions.embedding.weight": found["transformer.wpe.weight"],
        "output_projection.weight": found["lm_head.weight"],
        "blocks.norm.weight": found["transformer.ln_f.weight"],
        "blocks.norm.bias": found["transformer.ln_f.bias"],
    }
    for layer in range(2):
        for to, of in GPT2_NAMES.items():
            for kind in ("weight", "bias"):
                weight = found[f"transformer.h.{layer}.{of}.{kind}"]
                # A Conv1D's matrix is that of a Linear, transposed.
                weights[f"blocks.layers.{layer}.{to}.{kind}"] = (
                    weight.mT if weight.dim() == 2 else weight
                )
        for kind in ("weight", "bias"):
            joined = f"blocks.layers.{layer}.attention.inner.joined.{kind}"
            for part, rows in zip(
                ("query", "key", "value"), weights.pop(joined).chunk(3), strict=True
            ):
                weights[joined.replace("joined", f"{part}_projection")] = rows
    ours.load_state_dict(weights)
    assert_same_logits(ours, theirs)


LLAMA_NAMES = {
    "attention.norm": "input_layernorm",
    "attention.inner.query_projection": "self_attn.q_proj",
    "attention.inner.key_projection": "self_attn.k_proj",
    "attention.inner.value_projection": "self_attn.v_proj",
    "attention.inner.output_projection": "self_attn.o_proj",
    "feed_forward.norm": "post_attention_layernorm",
    "feed_forward.inner.gate_projection": "mlp.gate_proj",
    "feed_forward.inner.up_projection": "mlp.up_proj",
    "feed_forward.inner.down_projection": "mlp.down_proj",
}


@pytest.mark.parametrize("attention", ["explicit", "fused"])
def test_llama(attention):
    shape = {"num_hidden_layers": 2, "hidden_size": 16, "intermediate_size": 20, "vocab_size": 11}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 7}
    tokens = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    theirs = moved(
        transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape, **heads, **tokens))
    )
    ours = GPT(
        11,
        7,
        2,
        4,
        16,
        positions="rotary",
        d_ff=20,
        n_kv_heads=2,
        norm="rms",
        activation="swiglu",
        bias=False,
        tied=False,
        attention=attention,
    ).eval()
    found = theirs.state_dict()
    weights = {
        "embedding.weight": found["model.embed_tokens.weight"],
        "blocks.norm.weight": found["model.norm.weight"],
        "output_projection.weight": found["lm_head.weight"],
    }
    for layer in range(2):
        for to, of in LLAMA_NAMES.items():
            name = f"blocks.layers.{layer}.{to}.weight"
            weights[name] = found[f"model.layers.{layer}.{of}.weight"]
    ours.load_state_dict(weights)
    assert_same_logits(ours, theirs)
