"""Random changes to DNA that keep its class, for training on few sequences.

Tokens are A, C, G, T = 0..3, then `unknown` and `pad`. B sequences, T places. Random numbers come
from PyTorch's global generator.
"""

import torch
from torch import Tensor


def reverse_complement(tokens: Tensor, pad: int) -> Tensor:
    """The other strand, read in its own direction: (B, T) -> (B, T); padding stays on the right.

    A <-> T, C <-> G (token t becomes 3 - t); unknown stays unknown.
    """
    length = (tokens != pad).sum(dim=1, keepdim=True)  # (B, 1)
    place = torch.arange(tokens.size(1), device=tokens.device).unsqueeze(0)  # (1, T)
    source = torch.where(place < length, length - 1 - place, place)  # (B, T)
    reverse = tokens.gather(1, source)  # (B, T)
    return torch.where(reverse < 4, 3 - reverse, reverse)


def mutate(tokens: Tensor, share: float) -> Tensor:
    """Replace each known nucleotide, with probability `share`, by a random one of all 4."""
    chosen = (torch.rand(tokens.shape, device=tokens.device) < share) & (tokens < 4)  # (B, T)
    return torch.where(chosen, torch.randint_like(tokens, 4), tokens)


def hide(tokens: Tensor, share: float, unknown: int) -> Tensor:
    """Replace each known nucleotide, with probability `share`, by `unknown`."""
    chosen = (torch.rand(tokens.shape, device=tokens.device) < share) & (tokens < 4)  # (B, T)
    return torch.where(chosen, unknown, tokens)


def shift(tokens: Tensor, most: int, unknown: int) -> Tensor:
    """Move each row by a number of places drawn from -most..most; `unknown` fills the gap.

    Padding is `unknown` + 1 and stays where it is: what would move into it is lost.
    """
    length = (tokens != unknown + 1).sum(dim=1, keepdim=True)  # (B, 1)
    by = torch.randint(-most, most + 1, (len(tokens), 1), device=tokens.device)  # (B, 1)
    place = torch.arange(tokens.size(1), device=tokens.device).unsqueeze(0)  # (1, T)
    source = place - by  # (B, T)
    moved = tokens.gather(1, source.clamp(0, tokens.size(1) - 1))  # (B, T)
    moved = torch.where((source >= 0) & (source < length), moved, unknown)  # (B, T)
    return torch.where(place < length, moved, tokens)


def augment(
    tokens: Tensor,
    unknown: int,
    largest_shift: int,
    mutated_share: float,
    hidden_share: float,
    both_strands: bool,
) -> Tensor:
    """All of the above with these settings: tokens (B, T) -> (B, T).

    both_strands: each row becomes its reverse complement with probability 1/2. Padding is
    `unknown` + 1.
    """
    pad = unknown + 1
    if both_strands:
        chosen = torch.rand(len(tokens), 1, device=tokens.device) < 0.5  # (B, 1)
        tokens = torch.where(chosen, reverse_complement(tokens, pad), tokens)
    if largest_shift:
        tokens = shift(tokens, largest_shift, unknown)
    if mutated_share:
        tokens = mutate(tokens, mutated_share)
    return hide(tokens, hidden_share, unknown) if hidden_share else tokens
