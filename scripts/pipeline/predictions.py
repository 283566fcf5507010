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

    label, prediction (N): class numbers or texts; probabilities (N, K): of each class, written with
    six decimals; ids (N): 0 to N - 1 by default; more: further columns, each (N), such as the
    input itself.
    """
    columns = {"id": range(len(label)) if ids is None else ids, **(more or {})}
    columns |= {"label": label, "prediction": prediction}
    if probabilities is not None:
        columns |= {f"p_{k}": [f"{p:.6f}" for p in of] for k, of in enumerate(probabilities.T)}
    rows = zip(*columns.values(), strict=True)
    write_csv(path, (dict(zip(columns, row, strict=True)) for row in rows), list(columns))
