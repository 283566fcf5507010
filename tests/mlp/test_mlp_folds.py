"""The folds of Part 1: stratified, disjoint, the same for everyone."""

import numpy as np
import pytest

from mlp.folds import split
from pipeline.errors import InputError


def test_folds_are_stratified_disjoint_and_complete():
    y = np.repeat([0, 1, 2], [300, 120, 60])
    parts = [split(y, fold, 3, 0) for fold in range(3)]
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(480))
    for kept, held_out in parts:
        assert sorted([*kept, *held_out]) == list(range(480))
        assert np.bincount(y[held_out]).tolist() == [100, 40, 20]
        assert (np.diff(kept) > 0).all() and (np.diff(held_out) > 0).all()
    np.testing.assert_array_equal(split(y, 1, 3, 0)[1], parts[1][1])
    assert not np.array_equal(split(y, 1, 3, 7)[1], parts[1][1])


def test_sizes_differ_by_one_at_most_where_nothing_divides():
    y = np.random.default_rng(0).choice(4, 203, p=[0.4, 0.3, 0.2, 0.1])
    held_out = [split(y, fold, 5, 0)[1] for fold in range(5)]
    assert np.ptp([len(part) for part in held_out]) <= 1
    assert (np.ptp([np.bincount(y[part]) for part in held_out], axis=0) <= 1).all()


def test_a_sample_keeps_the_shares_of_the_classes():
    y = np.repeat([0, 1, 2], [300, 120, 60])
    kept, held_out = split(y, 0, 2, 0, examples=48)
    assert np.bincount(y[[*kept, *held_out]]).tolist() == [30, 12, 6]
    assert len(split(y, 0, 2, 0, examples=10_000)[0]) == 240


def test_what_cannot_be_split_is_refused():
    y = np.repeat([0, 1, 2], [300, 120, 60])
    with pytest.raises(InputError, match="fold: expected 0 to 2, found 3"):
        split(y, 3, 3, 0)
    with pytest.raises(InputError, match="expected at most 60, the rarest class, found 61"):
        split(y, 0, 61, 0)
