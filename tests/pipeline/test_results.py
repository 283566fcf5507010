"""Leaderboard rows: mean, deviation, interval."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.results import COLUMNS, interval, proportion_interval, row

PLACE = {"threads": 1, "device": "cpu", "commit": "abc"}
COMMON = {
    "task": "t", "dataset": "d", "model": "m", "metric": "accuracy", "ci": None, "parameters": 1,
    "train_seconds": 1.0, "provenance": PLACE, "data_sha256": "0",
}  # fmt: skip


def test_mean_and_sample_deviation():
    found = row(implementation="numpy", split="test", values=[0.5, 0.7], **COMMON)
    assert found["value"] == pytest.approx(0.6)
    assert found["std"] == pytest.approx(0.1414213562)
    assert found["n_seeds"] == 2
    assert row(implementation="numpy", split="test", values=[0.5], **COMMON)["std"] is None
    assert set(found) == set(COLUMNS) - {"run", "source", "config_sha256"}


def test_an_unknown_split_or_implementation_is_refused():
    with pytest.raises(ValueError, match="jax"):
        row(implementation="jax", split="test", values=[1], **COMMON)
    with pytest.raises(ValueError, match="holdout"):
        row(implementation="numpy", split="holdout", values=[1], **COMMON)


def test_the_interval_of_an_accuracy_is_the_binomial_one():
    right = np.arange(400) < 300
    low, high = interval(lambda hits: hits.mean(), right)
    exact = binomtest(300, 400).proportion_ci(method="wilson")
    assert low == pytest.approx(exact.low, abs=0.015)
    assert high == pytest.approx(exact.high, abs=0.015)
    assert (low, high) == interval(lambda hits: hits.mean(), right)


def test_arrays_are_resampled_together():
    """A hit of the pair (label, prediction) survives resampling; drawn apart, halves would miss."""
    labels = np.arange(100) % 2
    agreements = []
    interval(lambda a, b: agreements.append(np.array_equal(a, b)) or 0.0, labels, labels)
    assert agreements
    assert all(agreements)


@pytest.mark.parametrize(("hits", "examples"), [(300, 400), (400, 400), (0, 400), (1, 1)])
def test_one_models_share_has_wilsons_interval(hits, examples):
    """Wilson's formula written out: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""
    low, high = proportion_interval(np.arange(examples) < hits)
    z, p = 1.959963984540054, hits / examples
    centre = p + z**2 / (2 * examples)
    half = z * np.sqrt(p * (1 - p) / examples + z**2 / (4 * examples**2))
    assert low == pytest.approx((centre - half) / (1 + z**2 / examples), abs=1e-12)
    assert high == pytest.approx((centre + half) / (1 + z**2 / examples), abs=1e-12)
    assert high - low > 0.005


def test_several_seeds_do_not_make_more_examples():
    """Seeds that agree tell as much as one; where they differ the examples are resampled."""
    hits = np.arange(400) < 300
    assert proportion_interval(np.stack([hits] * 3)) == proportion_interval(hits)
    assert proportion_interval(np.ones((3, 50))) == proportion_interval(np.ones(50))
    mixed = np.stack([hits, np.arange(400) < 290])
    low, high = proportion_interval(mixed)
    assert (low, high) == interval(np.mean, mixed.mean(axis=0))
    assert low < mixed.mean() < high


@pytest.mark.parametrize("hits", [np.zeros(0), np.ones((2, 2, 2)), np.array([0.0, 2.0])])
def test_what_is_no_list_of_hits_is_refused(hits):
    with pytest.raises(ValueError, match="hits"):
        proportion_interval(hits)
