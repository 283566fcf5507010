"""Drawing tokens from a language model: temperature, top-k, top-p, one explicit loop."""

import torch
from torch import Tensor

from torch_nn.eval_mode import evaluating
from torch_nn.gpt import GPT


def token_distribution(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """The probabilities (..., V) from which the next token is drawn, given logits (..., V).

    In this order: p = softmax(logits / temperature), temperature 0 being its limit, all mass on the
    likeliest token; top_k keeps the k likeliest tokens (Fan et al. 2018); top_p keeps the smallest
    set of likeliest tokens whose mass reaches p (nucleus sampling, Holtzman et al. 2020, section
    3.1); what is kept is renormalised. Of equally likely tokens the lower number goes first.
    Raises ValueError for a temperature < 0, k < 1, or p outside (0, 1].
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError(f"expected temperature >= 0 and top_k >= 1, found {temperature}, {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"expected 0 < top_p <= 1, found {top_p}")
    if temperature == 0:
        best = logits.argmax(dim=-1, keepdim=True)  # (..., 1)
        return torch.zeros_like(logits, dtype=torch.float64).scatter(-1, best, 1.0)
    probabilities = torch.softmax(logits.double() / temperature, dim=-1)  # (..., V)
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)  # (..., V) each
    if top_k is not None:
        ordered[..., top_k:] = 0.0
        ordered = ordered / ordered.sum(dim=-1, keepdim=True)
    if top_p is not None:
        mass_before = ordered.cumsum(dim=-1) - ordered  # (..., V)
        ordered = ordered.masked_fill(mass_before >= top_p, 0.0)
        ordered = ordered / ordered.sum(dim=-1, keepdim=True)
    return torch.zeros_like(probabilities).scatter(-1, order, ordered)  # (..., V), in token order


def sample(
    model: GPT,
    prompt: Tensor,
    max_new_tokens: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop_token: int | None = None,
) -> Tensor:
    """Continue prompt (B, T >= 1) int64 token by token; returns (B, T + new tokens).

    The model sees the last `context` tokens. A row that drew stop_token is filled up with it; the
    loop ends when every row has stopped. generator: a CPU generator of its own, so that samples
    depend on its seed alone. Without dropout; afterwards the model is in the mode of before.
    """
    tokens = prompt
    stopped = torch.zeros(prompt.size(0), dtype=torch.bool)  # (B,)
    with evaluating(model):
        for _ in range(max_new_tokens):
            x, _ = model.hidden(tokens[:, -model.context :])  # (B, T, C)
            logits = model.output_projection(x[:, -1])  # (B, V)
            probabilities = token_distribution(logits.cpu(), temperature, top_k, top_p)  # (B, V)
            drawn = torch.multinomial(probabilities, 1, generator=generator).squeeze(1)  # (B,)
            if stop_token is not None:
                drawn = drawn.masked_fill(stopped, stop_token)  # (B,)
                stopped = stopped | (drawn == stop_token)
            tokens = torch.cat([tokens, drawn.unsqueeze(1).to(tokens.device)], dim=1)  # (B, T + 1)
            if stopped.all():
                break
    return tokens
