"""Scores of classifiers against scikit-learn's."""

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
