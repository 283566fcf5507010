"""An encoder-decoder writes: greedily, or by beam search."""

import torch
from torch import Tensor

from torch_nn.eval_mode import evaluating
from torch_nn.transformer import Transformer


def greedy_decode(
    model: Transformer,
    source: Tensor,
    start_token: int,
    end_token: int,
    max_length: int,
    source_lengths: Tensor | None = None,
    pad_token: int | None = None,
) -> Tensor:
    """The likeliest next token, again and again: source (B, Ts) -> tokens (B, <= max_length).

    The start token is not returned; end_token is, and what follows it in a row is pad_token
    (default end_token). Without dropout; afterwards the model is in the mode of before.
    """
    pad_token = end_token if pad_token is None else pad_token
    token = torch.full((source.size(0), 1), start_token, device=source.device)  # (B, 1)
    ended = torch.zeros_like(token, dtype=torch.bool)  # (B, 1)
    written = []
    with evaluating(model):
        memory, _ = model.encode(source, source_lengths)  # (B, Ts, C)
        cache = model.new_cache(*source.shape)
        for _ in range(max_length):
            logits, *_ = model.decode(token, memory, source_lengths, cache)  # (B, 1, V)
            token = logits.argmax(dim=-1).masked_fill(ended, pad_token)  # (B, 1)
            written.append(token)
            ended = ended | (token == end_token)
            if ended.all():
                break
    return torch.cat(written, dim=1)  # (B, T)


def beam_decode(
    model: Transformer,
    source: Tensor,
    start_token: int,
    end_token: int,
    max_length: int,
    beams: int,
    source_lengths: Tensor | None = None,
    pad_token: int | None = None,
) -> Tensor:
    """As greedy_decode, but keeps the `beams` best beginnings of each row, not just the best one.

    The score of a beginning is log p(beginning | source) per token: the sum alone would favour
    short ones, since each further token lowers it (Wu et al. 2016, section 7, with alpha = 1). In
    each step every beginning that has not ended is continued by every token; the best of all those
    and of the ended ones stay. All beginnings of all rows are one batch. One beam is greedy.
    Returns the best of each row, (B, <= max_length).
    """
    pad_token = end_token if pad_token is None else pad_token
    rows, device = source.size(0), source.device
    first = torch.arange(rows, device=device).unsqueeze(1) * beams  # (B, 1): each row's first beam
    tokens = torch.full((rows * beams, 1), start_token, device=device)  # (B W, T)
    log_p = torch.full((rows, beams), -torch.inf, dtype=torch.float64, device=device)  # (B, W)
    log_p[:, 0] = 0.0  # the others would be copies of it
    ended = torch.zeros(rows, beams, dtype=torch.bool, device=device)  # (B, W)
    written = torch.zeros(rows, beams, device=device)  # (B, W): tokens of each, its end included
    with evaluating(model):
        memory, _ = model.encode(source, source_lengths)  # (B, Ts, C)
        memory = memory.repeat_interleave(beams, dim=0)  # (B W, Ts, C)
        if source_lengths is not None:
            source_lengths = source_lengths.repeat_interleave(beams)  # (B W,)
        cache = model.new_cache(rows * beams, source.size(1))
        for _ in range(max_length):
            logits, *_ = model.decode(tokens[:, -1:], memory, source_lengths, cache)  # (B W, 1, V)
            step = logits.double().log_softmax(dim=-1).view(rows, beams, -1)  # (B, W, V)
            vocabulary = step.size(-1)
            # An ended beginning has one continuation, by padding, which costs nothing.
            step = step.masked_fill(ended.unsqueeze(-1), -torch.inf)
            step[..., pad_token] = step[..., pad_token].masked_fill(ended, 0.0)
            length = written + ~ended  # (B, W)
            total = log_p.unsqueeze(-1) + step  # (B, W, V)
            score = (total / length.unsqueeze(-1)).flatten(1)  # (B, W V)
            best = score.topk(beams, dim=-1).indices  # (B, W)
            parent, token = best // vocabulary, best % vocabulary  # (B, W) each
            log_p = total.flatten(1).gather(1, best)  # (B, W)
            written = length.gather(1, parent)  # (B, W)
            ended = ended.gather(1, parent) | (token == end_token)  # (B, W)
            chosen = (first + parent).flatten()  # (B W,)
            tokens = torch.cat([tokens[chosen], token.view(-1, 1)], dim=1)  # (B W, T + 1)
            cache.select(chosen)
            if ended.all():
                break
    best = (log_p / written).argmax(dim=-1, keepdim=True)  # (B, 1)
    return tokens[(first + best).flatten(), 1:]  # (B, T)
