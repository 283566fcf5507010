"""What a trained model says, and how right it is."""

import numpy as np

from numpy_nn.module import Module


def predict(model: Module, x: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """The class probabilities (N, K), float32, of x (N, ...), with dropout off."""
    if len(x) == 0:
        raise ValueError(f"predict: expected at least one example, given {x.shape}")
    model.eval()
    parts = []
    for start in range(0, len(x), batch_size):
        logits = model.forward(x[start : start + batch_size])
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        parts.append(p / p.sum(axis=1, keepdims=True))
    return np.concatenate(parts)


def evaluate(p: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(mean cross-entropy in nats, accuracy) of probabilities p (N, K) against labels y (N,)."""
    at_label = p[np.arange(len(y)), y].astype(np.float64)
    nats = -np.log(np.maximum(at_label, np.finfo(np.float32).tiny)).mean()
    return float(nats), float((p.argmax(axis=1) == y).mean())
