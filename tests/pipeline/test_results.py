"""Leaderboard rows and predictions: mean, deviation, interval, cost, columns."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.history import cost
from pipeline.predictions import write_predictions
from pipeline.results import COLUMNS, interval, proportion_interval, row

PLACE = {"threads": 1, "device": "cpu", "commit": "abc"}
COMMON = {
    "task": "t", "dataset": "d", "model": "m", "metric": "accuracy", "ci": None, "parameters": 1,
    "inputs": "pixels", "train_seconds": 1.0, "train_flops": 2.0, "provenance": PLACE,
    "data_sha256": "0",
}  # fmt: skip


def test_mean_and_sample_deviation():
    found = row(implementation="numpy", split="test", values=[0.5, 0.7], **COMMON)
    assert found["value"] == pytest.approx(0.6)
    assert found["std"] == pytest.approx(0.1414213562)
    assert found["n_seeds"] == 2
    assert row(implementation="numpy", split="test", values=[0.5], **COMMON)["std"] is None
    assert set(found) == set(COLUMNS) - {"run", "source", "config_sha256"}


def test_a_row_tells_the_kernels_of_its_training_where_they_were_recorded():
    about = {**COMMON, "implementation": "numpy", "split": "test", "values": [0.5]}
    assert row(**about)["kernels"] is None
    about["provenance"] = {**PLACE, "kernels": "AVX2, float32"}
    assert row(**about)["kernels"] == "AVX2, float32"


def test_a_plain_row_is_one_model_on_the_whole_split():
    found = row(implementation="torch", split="val", values=[0.5], **COMMON)
    assert (found["views"], found["members"], found["subset"]) == ("none", "1", "all")


def test_the_cost_of_seeds_is_a_mean_and_of_an_ensemble_a_sum():
    trainings = [
        {"parameters": 10, "seconds": seconds, "train_flops": 10**18, "provenance": PLACE}
        for seconds in (1.0, 2.0)
    ]
    alone = {"parameters": 10, "train_seconds": 1.5, "train_flops": 1e18, "provenance": PLACE}
    assert cost(trainings) == alone
    together = {"parameters": 20, "train_seconds": 3.0, "train_flops": 2e18, "provenance": PLACE}
    assert cost(trainings, np.sum) == together


def test_predictions(tmp_path):
    path = tmp_path / "predictions.csv"
    write_predictions(path, np.array([1, 0]), np.array([1, 1]), np.array([[0.25, 0.75], [0, 1]]))
    assert path.read_text() == (
        "id,label,prediction,p_0,p_1\n0,1,1,0.250000,0.750000\n1,0,1,0.000000,1.000000\n"
    )
    write_predictions(path, ["MK"], ["M"], ids=[7], more={"frame": ["ATGAAATAA"]})
    assert path.read_text() == "id,frame,label,prediction\n7,ATGAAATAA,MK,M\n"
    with pytest.raises(ValueError):
        write_predictions(path, [1, 2], [1])


def test_an_unknown_split_implementation_or_column_is_refused():
    with pytest.raises(ValueError, match="jax"):
        row(implementation="jax", split="test", values=[1], **COMMON)
    with pytest.raises(ValueError, match="holdout"):
        row(implementation="numpy", split="holdout", values=[1], **COMMON)
    with pytest.raises(ValueError, match="missing or unknown columns: colour, metric"):
        others = {key: value for key, value in COMMON.items() if key != "metric"}
        row(implementation="numpy", split="test", values=[1], colour="red", **others)


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


def test_no_interval_where_there_is_none():
    assert interval(np.mean, np.zeros(0)) is interval(np.mean, np.ones(1)) is None
    assert interval(np.mean, np.ones(50)) is None
    assert interval(lambda x: np.nan, np.arange(50)) is None
    assert proportion_interval(np.array([[1], [0]])) is None


def test_resamples_without_a_value_are_left_out():
    x = np.arange(4.0)
    low, high = interval(lambda x: np.nan if x.min() else x.mean(), x)
    assert 0 <= low < high <= 3
