"""Baselines of DNA: features by hand and by a plain count, and the program end to end."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_trainings import call

from dna import baselines, scoring
from dna import prepare as prepare_dna
from dna.sequences import LETTERS, PAD, encode, pad
from reporting.leaderboard import read_metrics

STRAND = str.maketrans("ACGT", "TGCA")


def letters(*rows):
    return pad([encode(row) for row in rows], max(map(len, rows)))


def word(number, k):
    return "".join(LETTERS[number >> 2 * place & 3] for place in reversed(range(k)))


@given(st.lists(st.text("ACGTN", min_size=1, max_size=9), min_size=1, max_size=4))
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_k_mers_are_counted(k, both, rows):
    found = baselines.kmer_counts(letters(*rows), k, both).toarray()
    assert found.dtype == np.float32 and found.shape == (len(rows), 4**k)
    for row, counts in zip(rows, found, strict=True):
        words = [row[i : i + k] for i in range(len(row) - k + 1)]
        words = [word for word in words if "N" not in word]
        if both:
            words = [min(word, word.translate(STRAND)[::-1]) for word in words]
        assert {word(n, k): c for n, c in enumerate(counts) if c} == Counter(words)


@given(st.text("ACGTN", min_size=3, max_size=9))
def test_the_other_strand_has_the_same_counts(row):
    other = row.translate(STRAND)[::-1]
    x, y = (baselines.kmer_counts(letters(s), 3, True).toarray() for s in (row, other))
    assert np.array_equal(x, y)


def test_places_and_gc_by_hand():
    x = letters("ACN", "GG")
    found = baselines.letters_at_places(x).toarray().reshape(2, 3, 4)
    assert found[0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert found[1].tolist() == [[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert baselines.gc_content(x).tolist() == [[0.5, 0.25], [1, 1]]
    assert baselines.gc_content(np.full((1, 3), PAD, np.uint8)).tolist() == [[0, 0]]


def test_a_class_that_is_not_in_train_has_probability_0():
    found = baselines.of_all_classes(np.array([[0.3, 0.7]]), np.array([0, 2]), 3)
    assert found.tolist() == [[0.3, 0, 0.7]]


@pytest.mark.slow
def test_the_program(monkeypatch, tmp_path):
    paths = {"data": tmp_path / "x.npz", "meta": tmp_path / "meta.json"}
    spec = {"sizes": [300, 60, 80], "length": 16, "place": 4, "noise": 0.1}
    call(monkeypatch, prepare_dna, spec, out=paths["data"], meta=paths["meta"])
    out = tmp_path / "baselines.json"
    spec = {"orders": [2, 3], "strengths": [0.1], "tree_order": 2, "trees": 5, "cnn_epochs": 2}
    call(monkeypatch, baselines, {**spec, "both_strands": False}, **paths, out=out)
    rows = read_metrics(out)
    test = {r["model"]: r["value"] for r in rows if (r["split"], r["metric"]) == ("test", "mcc")}
    assert set(test) == {
        "GC content", "logistic regression on k-mers", "gradient boosting on k-mers", "small CNN",
    }  # fmt: skip
    assert test["logistic regression on k-mers"] > 70  # Bayes: 100 less than one in a hundred
    curves = {one["model"]: one for one in json.loads(out.read_text())["curves"]}
    rows = json.loads(out.read_text())["rows"]
    assert list(curves) == list(dict.fromkeys(row["model"] for row in rows))
    for row in rows:
        if (row["split"], row["metric"]) == ("test", "roc_auc"):
            assert curves[row["model"]]["roc"][0]["auc"] == row["value"]
    chosen = json.loads(out.read_text())["notes"]["chosen"]
    assert re.search(
        r"regression on k-mers: k [23], letters at places (True|False), strength", chosen
    )
    assert re.search(r"gradient boosting on k-mers: trees [1-5]; small CNN: epoch [12]$", chosen)
    (cnn,) = (r for r in rows if r["model"] == "small CNN" and r["split"] == "test"
              and r["metric"] == "mcc")  # fmt: skip
    assert cnn["implementation"] == "torch" and cnn["train_flops"] > 0


def test_the_choice_is_val_s_and_never_test_s():
    """Features that are perfect on test alone must not be taken for those that are on val."""
    y = {split: np.array([0, 1] * 10) for split in baselines.SPLITS}
    right, wrong = (np.stack([z, 1 - z], axis=1).astype(float) for z in (y["val"], 1 - y["val"]))
    good = {"train": right, "val": right, "test": wrong}
    bad = {"train": right, "val": wrong, "test": right}
    found = baselines.best_regression(
        "m", [({"which": "bad"}, bad), ({"which": "good"}, good)], [1.0], y, 2
    )
    assert found.chosen["which"] == "good"
    assert (found.views["none"]["test"].argmax(axis=1) != y["test"]).all()


def test_curves_are_thinned_and_what_there_is_not_is_null():
    random = np.random.default_rng(0)
    label, chance = random.integers(2, size=3000), random.random(3000)
    found = scoring.curves(label, np.stack([1 - chance, chance], axis=1), ["a", "b"])
    (roc,) = found["roc"]
    assert len(roc["false"]) == len(roc["true"]) == scoring.POINTS
    assert (roc["false"][0], roc["true"][0], roc["false"][-1], roc["true"][-1]) == (0, 0, 1, 1)
    assert np.trapezoid(roc["true"], roc["false"]) == pytest.approx(roc["auc"], abs=0.01)
    one = scoring.curves(np.zeros(5, int), np.full((5, 3), 1 / 3), ["a", "b", "c"])
    assert [entry["auc"] for entry in one["roc"]] == [None] * 3
    assert one["roc"][1]["true"] is None and one["precision_recall"][1]["recall"] is None
    json.dumps(one, allow_nan=False)
