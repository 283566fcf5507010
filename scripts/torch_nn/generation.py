"""A language model writes: one explicit loop, whatever chooses the next token."""

from collections.abc import Callable

import torch
from torch import Tensor

from torch_nn.eval_mode import evaluating
from torch_nn.gpt import GPT

Choice = Callable[[Tensor, Tensor], Tensor]
LanguageModel = GPT


def generate(
    model: LanguageModel,
    prompt: Tensor,
    max_new_tokens: int,
    choose: Choice,
    stop_token: int | None = None,
    lengths: Tensor | None = None,
) -> Tensor:
    """Placeholder until wt-core's."""
    batch_size, longest = prompt.shape
    given = prompt.new_full((batch_size,), longest) if lengths is None else lengths  # (B,)
    tokens = torch.nn.functional.pad(prompt, (0, max_new_tokens))  # (B, T + max_new_tokens)
    stopped = torch.zeros_like(given, dtype=torch.bool)  # (B,)
    with evaluating(model):
        for column in range(int(given.min()), longest + max_new_tokens):
            x, _ = model.hidden(tokens[:, max(0, column - model.context) : column])
            chosen = choose(model.output_projection(x[:, -1]), tokens[:, :column])  # (B,)
            if column < longest:
                chosen = torch.where(column < given, tokens[:, column], chosen)  # (B,)
            if stop_token is not None:
                chosen = chosen.masked_fill(stopped, stop_token)  # (B,)
                stopped = stopped | ((chosen == stop_token) & (column >= given))
            tokens[:, column] = chosen
            if stopped.all() and column >= longest:
                return tokens[:, : column + 1]
    return tokens
