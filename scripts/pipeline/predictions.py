"""predictions.csv: what a model answered on every test example, beside the truth."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.atomic import write_csv


def write_predictions(
    path: str | Path,
    label: Sequence,
    prediction: Sequence,
    probabilities: np.ndarray | None = None,
    ids: Iterable | None = None,
    more: Mapping[str, Sequence] | None = None,
) -> None:
    """Write the columns id, those of `more`, label, prediction and p_0, p_1 ...

    label, prediction (N): class numbers or texts; probabilities (N, K): of each class,
    written with six decimals; ids (N): 0 to N - 1 by default; more: further columns, each (N), such
    as the input itself.
    """
    more = more or {}
    classes = 0 if probabilities is None else probabilities.shape[1]
    columns = ["id", *more, "label", "prediction", *(f"p_{k}" for k in range(classes))]
    rows = zip(
        range(len(label)) if ids is None else ids,
        *more.values(),
        label,
        prediction,
        np.empty((len(label), 0)) if probabilities is None else probabilities,
        strict=True,
    )
    write_csv(
        path,
        (
            dict(zip(columns, [*told, *(f"{share:.6f}" for share in shares)], strict=True))
            for *told, shares in rows
        ),
        columns,
    )
