"""Speed of our GPT: training and sampling, beside transformers' GPT2LMHeadModel and torch's layers.

    .venv/bin/python benchmarks/gpt_speed.py --out results/benchmarks/gpt_speed.csv

The shape is that of nanoGPT's recipe for a CPU: 4 layers, 4 heads, width 128, 65 characters. A step
of training is the forward pass, the loss, the backward pass, a clipped gradient and AdamW: the same
code for all but the model. GPT-2 has, as always, the GELU by tanh; nn.TransformerEncoder and ours
the exact one. Samples: 1 or 16 prompts of 16 tokens, 256 new ones drawn at temperature 1, both with
their key-value cache.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from side_by_side import Case, main
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from torch_nn.attention import causal_mask
from torch_nn.gpt import GPT
from torch_nn.optimisation import clipped_step, decay_groups
from torch_nn.sampling import sample

LAYERS, HEADS, WIDTH, VOCABULARY = 4, 4, 128, 65
TRAININGS = (
    ("train context 64", 64, 12, 0.0),
    ("train context 256", 256, 16, 0.0),
    ("train context 256 dropout", 256, 16, 0.1),
)
CONTEXT, PROMPT, NEW_TOKENS = 512, 16, 256
GPT2, ENCODER = "transformers GPT2LMHeadModel", "torch nn.TransformerEncoder"


def ours(context: int, dropout: float) -> GPT:
    return GPT(VOCABULARY, context, LAYERS, HEADS, WIDTH, dropout)


def gpt2(context: int, dropout: float) -> GPT2LMHeadModel:
    shape = {"n_layer": LAYERS, "n_head": HEADS, "n_embd": WIDTH, "n_positions": context}
    dropouts = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), dropout)
    tokens = {
        "vocab_size": VOCABULARY,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
    }
    return GPT2LMHeadModel(GPT2Config(**shape, **dropouts, **tokens))


class TorchEncoder(nn.Module):
    """The same language model of torch's layers."""

    def __init__(self, context: int, dropout: float):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Parameter(torch.zeros(context, WIDTH))
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout, "gelu", batch_first=True, norm_first=True
        )
        norm = nn.LayerNorm(WIDTH)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, norm, enable_nested_tensor=False)
        self.register_buffer("mask", ~causal_mask(context))
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.dropout(self.embedding(tokens) + self.positions)
        x = self.encoder(x, mask=self.mask, is_causal=True)
        return x @ self.embedding.weight.T


def step(
    model: nn.Module, forward: Callable[[Tensor], Tensor], context: int, batch_size: int
) -> Callable[[], float]:
    """One step of training on the same random windows again and again."""
    optimizer = torch.optim.AdamW(decay_groups(model, 0.1), lr=1e-3, betas=(0.9, 0.99))
    windows = torch.randint(VOCABULARY, (batch_size, context + 1))  # (B, T + 1)

    def run() -> float:
        logits = forward(windows[:, :-1]).flatten(0, 1)  # (B * T, V)
        loss = F.cross_entropy(logits, windows[:, 1:].flatten())
        return clipped_step(model, optimizer, loss, lr=1e-3, clip=1.0)

    return run


def training(work: str, context: int, batch_size: int, dropout: float) -> Iterator[Case]:
    amount = context * batch_size
    model, peer = ours(context, dropout), gpt2(context, dropout).train()
    yield Case(
        work,
        GPT2,
        step(model, model, context, batch_size),
        step(peer, lambda x: peer(x, use_cache=False).logits, context, batch_size),
        amount,
        "tokens",
    )
    model, encoder = ours(context, dropout), TorchEncoder(context, dropout)
    sides = (step(net, net, context, batch_size) for net in (model, encoder))
    yield Case(work, ENCODER, *sides, amount, "tokens")


def sampling(prompts: int) -> Case:
    model, peer = ours(CONTEXT, 0.0), gpt2(CONTEXT, 0.0).eval()
    prompt = torch.randint(VOCABULARY, (prompts, PROMPT))  # (B, T)
    draw = {"do_sample": True, "top_k": 0, "attention_mask": torch.ones_like(prompt)}
    return Case(
        f"sample {prompts}",
        GPT2,
        lambda: sample(model, prompt, NEW_TOKENS, range(prompts)),
        lambda: peer.generate(prompt, max_new_tokens=NEW_TOKENS, **draw),
        prompts * NEW_TOKENS,
        "tokens",
    )


def cases() -> Iterator[Case]:
    torch.manual_seed(0)
    for setting in TRAININGS:
        yield from training(*setting)
    for prompts in (1, 16):
        yield sampling(prompts)


if __name__ == "__main__":
    main(__doc__, cases, ("torch", "transformers"))
