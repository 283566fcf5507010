"""Accuracy and Matthews' correlation for any number of classes, fast enough to bootstrap."""

import math

import numpy as np


def matthews(label: np.ndarray, prediction: np.ndarray) -> float:
    """The coefficient x 100 of int64 labels and predictions (N,), from -100 to 100.

    Gorodkin 2004, eq. 8: with c right, s in all, t_k true and p_k predicted of class k,
    (c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)); 0 where all predictions are of
    one class. For two classes it is Matthews 1975. GUE reports it x 100. NaN if the labels are of
    fewer than two classes: there is nothing to correlate with.
    """
    if not len(label) or (label == label[0]).all():
        return math.nan
    classes = int(max(label.max(), prediction.max())) + 1
    true = np.bincount(label, minlength=classes).astype(np.float64)
    predicted = np.bincount(prediction, minlength=classes).astype(np.float64)
    right, all_ = float((label == prediction).sum()), float(len(label))
    spread = (all_**2 - predicted @ predicted) * (all_**2 - true @ true)
    return float(100 * (right * all_ - true @ predicted) / spread**0.5) if spread else 0.0


def accuracy(label: np.ndarray, prediction: np.ndarray) -> float:
    """The share of labels (N,) that the predictions (N,) hit, 0 to 1; NaN without labels."""
    return float((label == prediction).mean()) if len(label) else math.nan
