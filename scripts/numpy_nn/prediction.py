"""What a trained model says, and how right it is."""

import numpy as np

from numpy_nn.checks import check_labels, refuse
from numpy_nn.module import Module, NonFiniteError, diagnose


def predict(model: Module, x: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """The class probabilities (N, K), float32, of x (N, ...), with dropout off.

    Afterwards each layer is in training or in evaluation as before. Raises NonFiniteError, with the
    layer that is to blame, if a logit is NaN or infinite.
    """
    if len(x) == 0:
        refuse("predict", "at least one example", x.shape)
    parts = []
    # Overflow needs no warning: what is not finite is an error of its own.
    with model.evaluating(), np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(x), batch_size):
            batch = x[start : start + batch_size]
            logits = model(batch)
            if not np.isfinite(logits).all():
                raise NonFiniteError(
                    f"predict: examples from {start} on: expected finite logits {logits.shape},"
                    f" found NaN or infinity: {diagnose(model, batch)}"
                )
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            parts.append(p / p.sum(axis=1, keepdims=True))
    return np.concatenate(parts)


def evaluate(p: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(mean cross-entropy in nats, accuracy) of probabilities p (N, K) against labels y (N,).

    Raises ValueError unless there is a label in [0, K) for each of N >= 1 examples, NonFiniteError
    if a probability is NaN or infinite.
    """
    if p.ndim != 2:
        refuse("evaluate", "p (N, K)", p.shape)
    check_labels("evaluate", y, *p.shape)
    if not np.isfinite(p).all():
        raise NonFiniteError(f"evaluate: expected finite p {p.shape}, found NaN or infinity")
    at_label = p[np.arange(len(y)), y].astype(np.float64)
    nats = -np.log(np.maximum(at_label, np.finfo(np.float32).tiny)).mean()
    return float(nats), float((p.argmax(axis=1) == y).mean())
