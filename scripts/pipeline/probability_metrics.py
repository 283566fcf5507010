"""How good a classifier's probabilities are: ROC, precision and recall, calibration.

For two classes they speak of class 1; for more, each class is set against all others, and what is
one number is the mean over the classes. N examples, K classes; probabilities (N, K), label (N,).
"""

import math
from collections.abc import Callable

import numpy as np


def _counts(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each threshold, highest first, starting above all scores: (right, wrong) positives found.

    positive: bool (N,); score (N,). Examples of one score are found together: (thresholds + 1,).
    """
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)  # the last example of each score
    right = np.cumsum(positive[order])[last]
    wrong = np.cumsum(~positive[order])[last]
    return np.append(0, right), np.append(0, wrong)


def roc_curve(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(false, true) positive rates at each threshold, from (0, 0) to (1, 1) (Fawcett 2006).

    Without positives, or without negatives, the rate of those is NaN.
    """
    right, wrong = _counts(positive, score)
    with np.errstate(invalid="ignore"):
        return wrong / wrong[-1], right / right[-1]


def roc_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """The area under the ROC curve: the chance that a positive's score is above a negative's, ties
    counting half; NaN without both."""
    return float(np.trapezoid(*reversed(roc_curve(positive, score))))


def precision_recall(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision) at each threshold, fewest examples found first; NaN without positives."""
    right, wrong = (found[1:] for found in _counts(positive, score))
    with np.errstate(invalid="ignore"):
        return right / right[-1], right / (right + wrong)


def average_precision(positive: np.ndarray, score: np.ndarray) -> float:
    """Precision, averaged over recall in steps: sum_n (R_n - R_n-1) P_n, as scikit-learn's."""
    recall, precision = precision_recall(positive, score)
    return float(np.diff(recall, prepend=0.0) @ precision)


def over_classes(
    metric: Callable[[np.ndarray, np.ndarray], float], label: np.ndarray, probabilities: np.ndarray
) -> float:
    """`metric` of class 1 if there are two classes, else its mean over each against all others; NaN
    if it is for any."""
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return float(np.mean([metric(label == k, probabilities[:, k]) for k in classes]))


def reliability(
    label: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean confidence, accuracy, examples) of each of `bins` equally wide bins of the confidence,
    the probability of the answer (Guo et al. 2017, section 2); NaN in an empty bin."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == label
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, confidence, bins) / count
        return mean, np.bincount(place, right, bins) / count, count


def calibration_error(label: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """The expected calibration error: |accuracy - confidence| of a bin, weighted by its examples
    (Guo et al. 2017, equation 5); NaN without examples."""
    if not len(label):
        return math.nan
    confidence, accuracy, count = reliability(label, probabilities, bins)
    filled = count > 0
    return float(count[filled] @ np.abs(accuracy - confidence)[filled] / len(label))
