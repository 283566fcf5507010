"""Figures of what a model wrote, against the same counted in the plainest way."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt.quality import distinct_ngrams, figures, longest_copies, suffix_order
from gpt.sample import passages
from gpt.tokenizer import BytePairTokenizer, CharacterTokenizer, split_stream, token_stream

FEW_LETTERS = st.text("abé", max_size=60)


def longest_copy(text, source):
    """By trying all pieces of the text."""
    pieces = (text[i:j] for i in range(len(text)) for j in range(i, len(text) + 1))
    return max(len(piece) for piece in pieces if piece in source)


@given(FEW_LETTERS, st.integers(1, 40))
def test_suffixes_are_in_the_order_of_their_first_characters(text, length):
    order = suffix_order(text, length).tolist()
    assert sorted(order) == [*range(len(text))]
    heads = [text[start : start + length] for start in order]
    assert heads == sorted(heads)


@given(
    st.lists(st.text("abé", min_size=1, max_size=12), max_size=3), FEW_LETTERS, st.integers(1, 9)
)
def test_the_longest_copy_is_that_of_all_pieces_whatever_the_blocks(texts, source, block):
    expected = [longest_copy(text, source) for text in texts]
    assert longest_copies(texts, source) == longest_copies(texts, source, block) == expected


def test_distinct_ngrams_by_hand():
    assert distinct_ngrams(["a b a b", "a b"], 2) == 2 / 4  # ab ba ab, ab
    assert distinct_ngrams(["a b a b", "c"], 1) == 3 / 5
    assert math.isnan(distinct_ngrams(["a b", ""], 3))


def test_figures_leave_out_what_cannot_be_known():
    assert figures(["a b"], None) == {
        "words": 2, "distinct_2": 1.0, "distinct_3": None, "distinct_4": None,
        "longest_copy": None, "median_copy": None,
    }  # fmt: skip
    found = figures(["xab", "b", "y"], "abab")
    assert (found["longest_copy"], found["median_copy"]) == (2, 1.0)


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_documents_come_back_from_their_stream(kind):
    documents = ["one story.", "two", "a third one"]
    if kind == "bpe":
        tokenizer = BytePairTokenizer.train(documents, 260)
    else:
        tokenizer = CharacterTokenizer.train(documents, separator=True)
    stream = token_stream(tokenizer, documents)
    assert split_stream(tokenizer, stream) == documents
    assert passages(tokenizer, stream, 2, 99) == documents[:2]


def test_passages_of_a_running_text_come_from_all_over_it():
    tokenizer = CharacterTokenizer.train(["abcdefghij"], separator=False)
    stream = token_stream(tokenizer, ["abcdefghij"])
    assert split_stream(tokenizer, stream) == ["abcdefghij"]
    assert passages(tokenizer, stream, 4, 2) == ["ab", "cd", "ef", "gh"]
    assert passages(tokenizer, stream[:3], 4, 5) == ["abc"]
