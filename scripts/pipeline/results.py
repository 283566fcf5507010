"""Rows of the leaderboard: their columns, how a value gets its spread and its interval."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import bootstrap

COLUMNS = (
    "task", "dataset", "model", "implementation", "metric", "split", "value", "std", "n_seeds",
    "ci_low", "ci_high", "parameters", "train_seconds", "threads", "device", "run", "source",
    "commit", "config_sha256", "data_sha256",
)  # fmt: skip
IMPLEMENTATIONS = ("numpy", "torch")
SPLITS = ("train", "cv", "val", "test")
RESAMPLES = 1000


def interval(
    metric: Callable[..., float], *per_example: np.ndarray, seed: int = 0
) -> tuple[float, float]:
    """The 95 % percentile-bootstrap interval of `metric` over the examples of a split.

    per_example: arrays whose first axis (N) is the example; they are resampled together, so that
    an example's label and its predictions under several seeds stay one unit. It holds the
    uncertainty from the finite split, not that from training.
    """
    found = bootstrap(
        per_example,
        metric,
        paired=True,
        vectorized=False,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def row(
    *,
    task: str,
    dataset: str,
    model: str,
    implementation: str,
    metric: str,
    split: str,
    values: Sequence[float],
    ci: tuple[float, float] | None,
    parameters: int | None,
    train_seconds: float | None,
    provenance: dict,
    data_sha256: str,
) -> dict:
    """One row as an evaluation writes it; the leaderboard adds run, source and config_sha256.

    values: the metric under each seed; `value` is their mean, `std` their sample deviation (None
    for one seed). train_seconds: mean wall seconds of training one seed's model.
    Raises ValueError for an implementation or split that the leaderboard does not have.
    """
    if implementation not in IMPLEMENTATIONS or split not in SPLITS:
        raise ValueError(f"no such implementation or split: {implementation!r}, {split!r}")
    return {
        "task": task,
        "dataset": dataset,
        "model": model,
        "implementation": implementation,
        "metric": metric,
        "split": split,
        "value": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "n_seeds": len(values),
        "ci_low": ci[0] if ci else None,
        "ci_high": ci[1] if ci else None,
        "parameters": parameters,
        "train_seconds": train_seconds,
        "threads": provenance["threads"],
        "device": provenance["device"],
        "commit": provenance["commit"],
        "data_sha256": data_sha256,
    }
