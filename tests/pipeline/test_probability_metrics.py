"""ROC, precision and recall, calibration: scikit-learn is the oracle; a few by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from pipeline.probability_metrics import (
    average_precision,
    calibration_error,
    over_classes,
    precision_recall,
    reliability,
    roc_auc,
    roc_curve,
)

# Scores of few values, so that there are ties.
EXAMPLES = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=40).filter(
    lambda rows: len({positive for positive, _ in rows}) == 2
)


def arrays(rows):
    positive, score = zip(*rows, strict=True)
    return np.array(positive), np.array(score, float)


@given(EXAMPLES)
def test_areas_are_scikit_learns(rows):
    positive, score = arrays(rows)
    assert roc_auc(positive, score) == pytest.approx(oracle.roc_auc_score(positive, score))
    assert average_precision(positive, score) == pytest.approx(
        oracle.average_precision_score(positive, score)
    )


@given(EXAMPLES)
def test_curves_are_scikit_learns(rows):
    positive, score = arrays(rows)
    false, true = roc_curve(positive, score)
    expected = oracle.roc_curve(positive, score, drop_intermediate=False)
    assert false == pytest.approx(expected[0]) and true == pytest.approx(expected[1])
    recall, precision = precision_recall(positive, score)
    theirs = oracle.precision_recall_curve(positive, score)
    assert recall == pytest.approx(theirs[1][-2::-1])
    assert precision == pytest.approx(theirs[0][-2::-1])


def test_by_hand():
    positive, score = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1])
    assert roc_auc(positive, score) == 3 / 4  # of the four pairs, one is the wrong way round
    assert average_precision(positive, score) == pytest.approx((1 + 2 / 3) / 2)
    assert roc_auc(positive, np.zeros(4)) == 0.5 == average_precision(positive, np.zeros(4))


def test_one_class_alone_has_no_area():
    assert math.isnan(roc_auc(np.ones(3, bool), np.arange(3.0)))
    assert math.isnan(roc_auc(np.zeros(3, bool), np.arange(3.0)))
    assert math.isnan(average_precision(np.zeros(3, bool), np.arange(3.0)))


def test_several_classes_are_averaged_and_two_are_one():
    label = np.array([0, 1, 2, 1])
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.5, 0.2, 0.3]])
    each = [roc_auc(label == k, p[:, k]) for k in range(3)]
    assert over_classes(roc_auc, label, p) == pytest.approx(np.mean(each))
    assert over_classes(roc_auc, label, p) == pytest.approx(
        oracle.roc_auc_score(label, p, multi_class="ovr")
    )
    two = p[:, :2]
    assert over_classes(roc_auc, label[:2], two[:2]) == roc_auc(label[:2] == 1, two[:2, 1])


def test_calibration_by_hand():
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.0, 1.0]])
    label = np.array([0, 1, 1, 1])
    confidence, right, count = reliability(label, p, bins=10)
    assert count.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert confidence[6] == pytest.approx(0.6) and confidence[9] == pytest.approx(2.8 / 3)
    assert right[9] == pytest.approx(2 / 3) and np.isnan(right[0])
    expected = (1 * 0.4 + 3 * abs(2 / 3 - 2.8 / 3)) / 4
    assert calibration_error(label, p, bins=10) == pytest.approx(expected)
    assert math.isnan(calibration_error(label[:0], p[:0]))
