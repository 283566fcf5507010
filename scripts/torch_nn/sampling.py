"""Drawing the next token of a language model: what its logits leave to choose from, and the draw.

Each `keep_...` sets the logits of the tokens that are out to -inf; where tokens are equally likely,
the lower number goes first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from torch_nn.generation import generate
from torch_nn.language_model import LanguageModel


def penalise_repetition(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Make tokens that were there already less likely (Keskar et al. 2019, section 4.1).

    logits (B, V), tokens (B, T) int64. The logit z of a token in its row of `tokens` becomes
    z / penalty, or z * penalty where it is negative: less likely either way if penalty > 1.
    Returns (B, V).
    """
    found = logits.gather(-1, tokens)  # (B, T)
    return logits.scatter(-1, tokens, torch.where(found < 0, found * penalty, found / penalty))


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k likeliest tokens (Fan et al. 2018). logits (..., V) -> (..., V)."""
    order = logits.argsort(dim=-1, descending=True, stable=True)  # (..., V)
    return logits.scatter(-1, order[..., k:], -torch.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the smallest set of likeliest tokens whose mass reaches p: the nucleus (Holtzman et al.
    2020, section 3.1). logits (..., V) -> (..., V).
    """
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)  # (..., V) each
    mass = ordered.softmax(dim=-1)  # (..., V)
    out = mass.cumsum(dim=-1) - mass >= p  # (..., V): those before it have reached p
    return logits.masked_fill(torch.zeros_like(out).scatter(-1, order, out), -torch.inf)


def keep_min_p(logits: Tensor, share: float) -> Tensor:
    """Keep the tokens that are at least `share` times as likely as the likeliest (min-p, Nguyen et
    al. 2024). logits (..., V) -> (..., V).
    """
    likeliest = logits.amax(dim=-1, keepdim=True)  # (..., 1)
    return logits.masked_fill((logits - likeliest).exp() < share, -torch.inf)


def token_distribution(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Tensor:
    """The probabilities (..., V), float64, from which the next token is drawn.

    softmax(logits / temperature), of what top_k, then top_p, then min_p keep. Temperature 0 is the
    limit: all mass on the likeliest token.
    Raises ValueError for a temperature < 0, top_k < 1, or top_p or min_p outside (0, 1].
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError(f"expected temperature >= 0 and top_k >= 1, found {temperature}, {top_k}")
    for name, share in (("top_p", top_p), ("min_p", min_p)):
        if share is not None and not 0 < share <= 1:
            raise ValueError(f"expected 0 < {name} <= 1, found {share}")
    if temperature == 0:
        best = logits.argmax(dim=-1, keepdim=True)  # (..., 1)
        return torch.zeros_like(logits, dtype=torch.float64).scatter(-1, best, 1.0)
    logits = logits.double() / temperature
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    if min_p is not None:
        logits = keep_min_p(logits, min_p)
    return logits.softmax(dim=-1)  # (..., V)


def sample(
    model: LanguageModel,
    prompt: Tensor,
    max_new_tokens: int,
    seeds: Sequence[int],
    stop_token: int | None = None,
    lengths: Tensor | None = None,
    repetition_penalty: float = 1.0,
    told: Callable[[Tensor], None] | None = None,
    **way: Any,
) -> Tensor:
    """Continue prompt (B, T >= 1) int64 by tokens drawn at random; returns (B, T + new tokens).

    seeds: one per row. All that chance decides in a row is drawn from its own seed, so that a row
    is continued alone as it is in any batch. way: temperature and so on, of `token_distribution`.
    stop_token, lengths and told are those of `generate`.
    """
    given = prompt.new_full((len(prompt),), prompt.size(1)) if lengths is None else lengths  # (B,)
    steps = max_new_tokens + prompt.size(1) - int(given.min())
    chance = torch.stack([_uniform(seed, steps) for seed in seeds])  # (B, steps)

    def choose(logits: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, V) and all tokens so far (B, T) -> the next token of each row (B,)."""
        if repetition_penalty != 1:
            logits = penalise_repetition(logits, tokens, repetition_penalty)
        mass = token_distribution(logits.cpu(), **way).cumsum(dim=-1)  # (B, V)
        # The first token whose cumulated mass lies above a random point of the whole mass.
        step = (tokens.size(1) - given).clamp_min(0).cpu()  # (B,)
        point = chance.gather(1, step.unsqueeze(1)) * mass[:, -1:]  # (B, 1)
        drawn = torch.searchsorted(mass, point, right=True)  # (B, 1)
        return drawn.squeeze(1).to(tokens.device)  # (B,)

    return generate(model, prompt, max_new_tokens, choose, stop_token, lengths, told)


def _uniform(seed: int, count: int) -> Tensor:
    """`count` numbers in [0, 1), float64, of a CPU generator of their own."""
    return torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
