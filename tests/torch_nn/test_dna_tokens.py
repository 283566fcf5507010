"""Tokens of DNA: worked examples, round trips, merges against a plain loop."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torch_nn.dna_tokens import LETTERS, PAD, BytePairs, KMers, Nucleotides

ROWS = st.lists(st.text("ACGTN", min_size=1, max_size=12), min_size=1, max_size=5)


def letters_of(*rows):
    longest = max(map(len, rows))
    return torch.tensor([[*map(LETTERS.index, row), *[PAD] * (longest - len(row))] for row in rows])


def learned(merges, *rows):
    tokens = BytePairs(merges)
    tokens.learn(letters_of(*rows))
    return tokens


def test_k_mers_by_hand():
    tokens = KMers(2)
    found = tokens(letters_of("ACGTN", "TT", "C"))
    # AC CG GT, then TN, which has an unknown letter; TT; a sequence shorter than a word.
    assert found.tolist() == [[1, 6, 11, 16], [15, 17, 17, 17], [16, 17, 17, 17]]
    assert (tokens.unknown, tokens.pad, tokens.vocabulary, tokens.most(5)) == (16, 17, 18, 4)
    assert KMers(3)(letters_of("AC")).tolist() == [[64]]


def test_byte_pairs_by_hand():
    tokens = learned(3, "ACACACA", "ACG")
    # AC four times (of overlapping CA three); then ACAC; then none is more frequent than another.
    assert tokens.merges[:2].tolist() == [[0, 1], [5, 5]]
    found = tokens(letters_of("ACACACA", "ACG", "N"))
    assert [tokens.text([t for t in row if t != tokens.pad]) for row in found.tolist()] == [
        "ACACACA", "ACG", "N",
    ]  # fmt: skip
    assert found[2].tolist()[0] == LETTERS.index("N") and found.shape[1] < 7


def test_of_three_equal_letters_the_first_two_are_merged():
    tokens = learned(1, "AAA")
    assert tokens(letters_of("AAA", "AAAA")).tolist() == [[5, 0], [5, 5]]


def test_where_no_pair_is_left_nothing_is_merged():
    tokens = learned(4, "AC", "NN")
    assert tokens.merges.tolist() == [[0, 1], [-1, -1], [-1, -1], [-1, -1]]
    assert tokens(letters_of("ACN")).tolist() == [[5, 4]]


@given(rows=ROWS)
def test_text_gives_back_the_letters(rows):
    for tokens in (Nucleotides(), learned(6, *rows)):
        found = tokens(letters_of(*rows))
        assert found.max() < tokens.vocabulary and found.size(1) <= tokens.most(max(map(len, rows)))
        for row, ids in zip(rows, found.tolist(), strict=True):
            assert tokens.text([token for token in ids if token != tokens.pad]) == row


@given(rows=st.lists(st.text("ACGT", min_size=3, max_size=12), min_size=1, max_size=5))
@pytest.mark.parametrize("k", [1, 2, 3])
def test_text_of_k_mers_gives_back_the_letters(k, rows):
    tokens = KMers(k)
    for row, ids in zip(rows, tokens(letters_of(*rows)).tolist(), strict=True):
        assert tokens.text([token for token in ids if token != tokens.pad]) == row


@given(rows=ROWS)
def test_merging_equals_a_plain_loop(rows):
    tokens = learned(6, *rows)
    for row, ids in zip(rows, tokens(letters_of(*rows)).tolist(), strict=True):
        expected = [LETTERS.index(letter) for letter in row]
        for number, pair in enumerate(tokens.merges.tolist()):
            out: list[int] = []
            for token in expected:
                if out and [out[-1], token] == pair:
                    out[-1] = 5 + number
                else:
                    out.append(token)
            expected = out
        assert [token for token in ids if token != tokens.pad] == expected


def test_the_merges_travel_with_the_weights():
    tokens, other = learned(3, "ACGTACGTAC"), BytePairs(3)
    other.load_state_dict(tokens.state_dict())
    rows = letters_of("ACGTT", "GTAC")
    assert torch.equal(other(rows), tokens(rows)) and tokens(rows).size(1) < 5
