"""Scores of classifiers against scikit-learn's."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import matthews_corrcoef

from pipeline.classification_metrics import accuracy, matthews


def test_matthews_equals_scikit_learn():
    torch.manual_seed(1)
    for classes in (2, 3, 5):
        label = torch.randint(classes, (200,)).numpy()
        guess = torch.randint(classes, (200,)).numpy()
        guess[:120] = label[:120]
        assert matthews(label, guess) == pytest.approx(100 * matthews_corrcoef(label, guess))
        assert accuracy(label, guess) == pytest.approx((label == guess).mean())
    assert matthews(label, label) == pytest.approx(100)
    assert matthews(label, label * 0) == 0


def test_what_cannot_be_had_is_nan():
    ones, none = np.ones(2, np.int64), np.zeros(0, np.int64)
    assert math.isnan(matthews(ones, ones)) and math.isnan(matthews(ones, np.array([0, 1])))
    assert math.isnan(matthews(none, none)) and math.isnan(accuracy(none, none))
