"""Rows of the leaderboard: their columns, how a value gets its spread and its interval."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import DegenerateDataWarning, binomtest, bootstrap

COLUMNS = (
    "task", "dataset", "model", "inputs", "views", "members", "subset", "implementation", "metric",
    "split", "value", "std", "n_seeds", "ci_low", "ci_high", "parameters", "train_seconds",
    "train_flops", "threads", "device", "kernels", "run", "source", "commit", "config_sha256",
    "data_sha256",
)  # fmt: skip
IMPLEMENTATIONS = ("numpy", "torch", "scikit-learn", "xz")
SPLITS = ("train", "cv", "val", "test")
RESAMPLES = 1000


def interval(
    metric: Callable[..., float], *per_example: np.ndarray, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % percentile-bootstrap interval of `metric` over the examples of a split.

    per_example: arrays whose first axis (N) is the example; they are resampled together, so that
    an example's label and its predictions under several seeds stay one unit. It holds the
    uncertainty from the finite split, not that from training. For a share of hits use
    `proportion_interval`: resampling a perfect score finds nothing but perfect scores. Resamples on
    which the metric is NaN are left out. None where there is no interval: of fewer than two
    examples, or if all resamples have the same value.
    """
    if len(per_example[0]) < 2:
        return None
    options = {"paired": True, "vectorized": False, "method": "percentile"}
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings(action="ignore", category=DegenerateDataWarning):
        found = bootstrap(per_example, metric, n_resamples=RESAMPLES, rng=rng, **options)
    low, high = found.confidence_interval
    resamples = found.bootstrap_distribution
    if np.isnan(low) and not np.isnan(resamples).all():
        low, high = np.nanpercentile(resamples, [2.5, 97.5])
    return (float(low), float(high)) if low < high else None


def proportion_interval(hits: np.ndarray) -> tuple[float, float] | None:
    """The 95 % interval of a share of hits over the examples of a split.

    hits: bool or 0/1, (N,) for one model or (seeds, N) for one model per seed.

    One model: Wilson's score interval (Wilson 1927, JASA 22, 209-212), which keeps its width at
    0 and 1. Several seeds: an example counts with the share of seeds that hit it, which is not
    binomial, so `interval` resamples the examples; where the seeds agree on every example it is
    Wilson's interval of N examples, as if there were one seed. None where `interval` gives none.
    Raises ValueError without examples, for another shape, or for values outside 0..1.
    """
    hits = np.asarray(hits, dtype=np.float64)
    if hits.ndim not in (1, 2) or not hits.size or hits.min() < 0 or hits.max() > 1:
        raise ValueError(f"hits: expected 0/1 of shape (N,) or (seeds, N), found {hits.shape}")
    shares = np.atleast_2d(hits).mean(axis=0)  # (N,)
    if not np.isin(shares, (0, 1)).all():
        return interval(np.mean, shares)
    found = binomtest(int(shares.sum()), len(shares)).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def row(
    *, values: Sequence[float], ci: tuple[float, float] | None, provenance: Mapping, **about: Any
) -> dict[str, Any]:
    """One row as an evaluation writes it; the leaderboard adds run, source and config_sha256.

    values: the metric under each seed; `value` is their mean, `std` their sample deviation (None
    for one seed). about: the other columns, all of them but those that one trained model on the
    whole split need not name. inputs: what the model reads (pixels, pixels + HOG, nucleotides,
    tokens). views ("none"): over which versions of an example its answers are averaged (flips,
    shifts, flips and shifts, both strands), or how else an answer is found (beam of 4,
    sliding windows).
    members ("1"): how many trained models answer together (`5 seeds`, `5 folds`).
    subset ("all"): which examples of the split count (not in train, longer than trained).
    kernels: what multiplied the matrices in training (pipeline.provenance), None if not recorded.
    train_seconds: mean wall seconds of training one seed's model; train_flops: its training compute
    in floating-point operations. Of several members both are sums.
    Raises ValueError for a column that is missing or unknown, or for an implementation or split
    that the leaderboard does not have.
    """
    found = {
        **{"views": "none", "members": "1", "subset": "all"},
        **about,
        "value": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "n_seeds": len(values),
        **dict(zip(("ci_low", "ci_high"), ci or (None, None), strict=True)),
        **{name: provenance[name] for name in ("threads", "device", "commit")},
        "kernels": provenance.get("kernels"),  # a training of before did not record them
    }
    if wrong := set(found) ^ (set(COLUMNS) - {"run", "source", "config_sha256"}):
        raise ValueError(f"a row: missing or unknown columns: {', '.join(sorted(wrong))}")
    if found["implementation"] not in IMPLEMENTATIONS or found["split"] not in SPLITS:
        raise ValueError(f"no such implementation or split: {found}")
    return {name: found[name] for name in COLUMNS if name in found}
