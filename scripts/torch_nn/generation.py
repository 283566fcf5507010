"""A language model writes: one explicit loop, whatever chooses the next token."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_nn.eval_mode import evaluating
from torch_nn.language_model import LanguageModel

# Logits (B, V) and all tokens so far (B, T) -> the next token of each row, int64 (B,).
Choice = Callable[[Tensor, Tensor], Tensor]


def generate(
    model: LanguageModel,
    prompt: Tensor,
    max_new_tokens: int,
    choose: Choice,
    stop_token: int | None = None,
    lengths: Tensor | None = None,
    told: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Continue prompt (B, T >= 1) int64 token by token; returns (B, T + new tokens).

    Up to `context` tokens each step reads the new token alone, and a cache has the rest. From there
    on the window slides: the model sees the last `context` tokens, whose positions all change with
    each step, so that the cache is of no use and the whole window is read again.
    A row that chose stop_token is filled up with it; the loop ends when every row has stopped.
    lengths (B,) int64 >= 1: of prompts that differ in length, filled up on the right with anything;
    a shorter one is continued from its own end, all rows up to the same column.
    told: called with each column (B,) as soon as it is there, the first after the shortest prompt.
    Without dropout; afterwards the model is in the mode of before.
    """
    batch_size, longest = prompt.shape
    given = prompt.new_full((batch_size,), longest) if lengths is None else lengths  # (B,)
    first, last = int(given.min()), longest + max_new_tokens
    tokens = F.pad(prompt, (0, max_new_tokens))  # (B, T + max_new_tokens)
    stopped = torch.zeros_like(given, dtype=torch.bool)  # (B,)
    with evaluating(model), torch.inference_mode():
        cache = model.new_cache(batch_size)
        read = model.token_reader(cache)
        for column in range(first, last):
            if column > model.context:
                logits = model(tokens[:, column - model.context : column])[:, -1]  # (B, V)
            elif column > first:
                logits = read(tokens[:, column - 1])  # (B, V)
            else:
                logits = model(tokens[:, :first], cache)[:, -1]  # (B, V)
            chosen = choose(logits, tokens[:, :column])  # (B,)
            if column < longest:
                chosen = torch.where(column < given, tokens[:, column], chosen)  # (B,)
            if stop_token is not None:
                chosen = chosen.masked_fill(stopped, stop_token)  # (B,)
                stopped = stopped | ((chosen == stop_token) & (column >= given))
            tokens[:, column] = chosen
            if told is not None:
                told(chosen)
            if stop_token is not None and column >= longest and stopped.all():
                return tokens[:, : column + 1]
    return tokens
