"""Splits of one's own sequences, near duplicates, contradictions: by hand and by property."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna import leakage
from dna.sequences import as_trained, middle, other_strands, pad


@given(
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=60),
    st.integers(0, 5),
)
def test_groups_stay_together_and_each_class_is_in_train(rows, seed):
    group, label = np.array(rows, np.int64).T
    label = group % 3  # whole groups of one label
    part = leakage.stratified_split(group, label, [0.15, 0.15], seed)
    assert all(len(set(part[group == one])) == 1 for one in group)
    for k in set(label):
        number = len(set(group[label == k]))
        there = {p: len(set(group[(label == k) & (part == p)])) for p in (0, 1, 2)}
        assert there[0] >= 1 and sum(there.values()) == number
        assert there[1] == min(int(np.ceil(0.15 * number)), number - 1)
    assert np.array_equal(part, leakage.stratified_split(group, label, [0.15, 0.15], seed))


def test_the_shares_are_met_class_by_class():
    group, label = np.arange(1000), np.repeat([0, 1], [900, 100])
    part = leakage.stratified_split(group, label, [0.15, 0.1], 0)
    assert [np.bincount(part[label == k]).tolist() for k in (0, 1)] == [
        [675, 135, 90],
        [75, 15, 10],
    ]


def test_rows_contradict_where_a_group_has_two_labels():
    group, label = np.array([0, 1, 0, 2, 1]), np.array([0, 1, 1, 2, 1])
    assert leakage.contradictory(group, label).tolist() == [True, False, True, False, False]


def near(x, others, scale=1):
    known = np.sort(leakage.words_of(others, scale).words)
    return leakage.near(leakage.words_of(x, scale), known, len(x))


def test_near_duplicates_are_counted_on_both_strands():
    random = np.random.default_rng(0)
    x = random.integers(4, size=(6, 100), dtype=np.uint8)
    other = random.integers(4, size=(6, 100), dtype=np.uint8)
    other[0] = x[0]
    other[0, [10, 60]] = 3 - other[0, [10, 60]]  # two letters: 32 of 85 words
    other[1, 45:] = x[1, :55]  # windows that overlap by 55: 40 of 85 words
    other[2, 40:] = x[2, :60]  # by 60: 45
    other[3] = other_strands(x[3:4])[0]
    other[4, ::9] = x[4, ::9]
    other[5] = 4  # nothing is known
    assert near(other, x).tolist() == [True, False, True, True, False, False]
    splits = {"train": x, "val": other, "test": x[:1]}
    assert leakage.near_pairs(splits) == {"val_in_train": 3, "test_in_train": 1, "test_in_val": 1}
    assert near(x[:, :15], x).tolist() == [False] * 6  # no word fits
    assert near(x, x[:, :9]).tolist() == [False] * 6


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_words_are_those_of_their_definition(letters):
    x = np.array([letters], np.uint8)
    expected = []
    for begin in range(len(letters) - 15):
        word = letters[begin : begin + 16]
        if max(word) < 4:
            other = [3 - letter for letter in word[::-1]]
            expected.append(sum(a * 4 ** (15 - i) for i, a in enumerate(min(word, other))))
    assert leakage.words_of(x).words.tolist() == expected


def test_a_sample_of_the_words_finds_the_same():
    x = np.random.default_rng(1).integers(4, size=(90, 200), dtype=np.uint8)
    found = near(np.concatenate([x[:30], 3 - x[30:60]]), x, scale=9)
    assert found[:30].all() and not found[30:].any()
    sizes = len(leakage.words_of(x, 9).words), len(leakage.words_of(x).words)
    assert sizes[0] / sizes[1] == pytest.approx(1 / 9, rel=0.1)


def test_groups_are_equal_rows():
    x = pad([np.array([0, 1]), np.array([2, 3]), np.array([0]), np.array([0, 1])], 3)
    assert leakage.groups(x).tolist() == [0, 1, 2, 0]
    assert leakage.groups(as_trained(x, True)).tolist() == [0, 0, 1, 0]  # GT is AC


def test_the_middle():
    x = np.arange(7)
    assert [middle(x, n).tolist() for n in (9, 7, 4, 1)] == [
        [*range(7)], [*range(7)], [1, 2, 3, 4], [3]
    ]  # fmt: skip
