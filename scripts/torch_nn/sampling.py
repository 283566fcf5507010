"""Drawing the next token of a language model: temperature, top-k, top-p."""

import torch
from torch import Tensor

from torch_nn.generation import generate
from torch_nn.language_model import LanguageModel


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
    model: LanguageModel,
    prompt: Tensor,
    max_new_tokens: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop_token: int | None = None,
) -> Tensor:
    """Continue prompt (B, T >= 1) int64 by tokens drawn at random; returns (B, T + new tokens).

    generator: a CPU generator of its own, so that samples depend on its seed alone.
    stop_token and the rest are `generate`'s and `token_distribution`'s.
    """

    def choose(logits: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, V) and all tokens so far (B, T) -> the next token of each row (B,)."""
        probabilities = token_distribution(logits.cpu(), temperature, top_k, top_p)  # (B, V)
        drawn = torch.multinomial(probabilities, 1, generator=generator)  # (B, 1)
        return drawn.squeeze(1).to(tokens.device)  # (B,)

    return generate(model, prompt, max_new_tokens, choose, stop_token)
