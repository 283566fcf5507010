"""Beam search: one beam is greedy, more find what greedy misses; rows do not mix."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from torch_nn.decoding import beam_decode, greedy_decode
from torch_nn.transformer import Transformer

START, END = 0, 1


def randomised(**changes):
    torch.manual_seed(0)
    settings = {"d_model": 16, "n_heads": 2, "d_ff": 24, "max_length": 12, "dropout": 0.1}
    model = Transformer(7, 6, **{**settings, **changes}, pre_norm=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model


def log_p(model, source, written, lengths=None):
    """Mean log p per token of each row of `written`, up to its end, float (B,)."""
    target = torch.cat([torch.full_like(written[:, :1], START), written], dim=1)
    with torch.no_grad():
        steps = model.eval()(source, target[:, :-1], lengths).log_softmax(-1)  # (B, T, V)
    found = steps.gather(-1, written.unsqueeze(-1)).squeeze(-1)  # (B, T)
    before = (written == END).cumsum(1) - (written == END).long()  # ends before each token
    real = before == 0
    return (found * real).sum(1) / real.sum(1)


SOURCE = torch.randint(7, (16, 5), generator=torch.Generator().manual_seed(3))
LENGTHS = torch.arange(16) % 5 + 1


def test_one_beam_is_greedy():
    model = randomised()
    greedy = greedy_decode(model, SOURCE, START, END, 8, LENGTHS, pad_token=5)
    assert torch.equal(beam_decode(model, SOURCE, START, END, 8, 1, LENGTHS, 5), greedy)
    assert model.training and len(set(map(tuple, greedy.tolist()))) > 1


def test_rows_are_translated_as_if_each_were_alone():
    model = randomised()
    together = beam_decode(model, SOURCE, START, END, 8, 3, LENGTHS, 5)
    for row, source, length in zip(together, SOURCE, LENGTHS, strict=True):
        alone = beam_decode(model, source[None, :length], START, END, 8, 3, pad_token=5)[0]
        assert row[: len(alone)].tolist() == alone.tolist() and (row[len(alone) :] == 5).all()


def test_with_every_beginning_kept_it_finds_the_best_of_all():
    """Three tokens of a vocabulary of six: 6^2 beams lose nothing."""
    model = randomised()
    found = beam_decode(model, SOURCE, START, END, 3, 36, LENGTHS)
    every = torch.cartesian_prod(*[torch.arange(6)] * 3)  # (216, 3)
    for row, source, length in zip(found, SOURCE, LENGTHS, strict=True):
        alone = source[None, :length].expand(216, -1)
        best = log_p(model, alone, every).max()
        assert_close(log_p(model, source[None, :length], row[None])[0], best, atol=1e-5, rtol=1e-5)


class Fork(nn.Module):
    """A stub: first 2 (0.6) or 3 (0.4); after 2 all is uniform, after 3 the end is certain."""

    def __init__(self):
        super().__init__()
        first = torch.tensor([0.0, 0.0, 0.6, 0.4])
        self.rows = torch.stack([first, first, torch.full((4,), 0.25), torch.eye(4)[END]])

    def encode(self, source, lengths):
        return torch.zeros(*source.shape, 1), []

    def new_cache(self, rows, source_length):
        return self

    def select(self, rows):
        pass

    def decode(self, target, memory, lengths, cache):
        return self.rows[target].log(), [], []


def test_beams_find_the_likelier_sequence_that_greedy_misses():
    source = torch.zeros(2, 1, dtype=torch.long)
    assert greedy_decode(Fork(), source, START, END, 2)[:, 0].tolist() == [2, 2]  # p = 0.6 x 0.25
    assert beam_decode(Fork(), source, START, END, 2, 2).tolist() == [[3, END]] * 2  # p = 0.4


def test_one_table_for_source_and_target():
    model = Transformer(7, 7, 8, 2, 1, 1, 8, one_table=True)
    assert model.source_embedding.weight is model.target_embedding.weight
    assert model.output_projection.weight is model.target_embedding.weight
    with pytest.raises(ValueError, match="one table of 7 and of 9"):
        Transformer(7, 9, 8, 2, 1, 1, 8, one_table=True)
