"""Leaderboard rows: mean, deviation, interval."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.results import COLUMNS, interval, row

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
    labels = np.arange(100) % 2
    assert interval(lambda a, b: float((a == b).mean()), labels, labels) == (1.0, 1.0)
