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
    classes: Iterable[str] | None = None,
) -> None:
    """Write the columns id, those of `more`, label, prediction and p_0, p_1 ..., or p_<class>.

    label, prediction (N): class numbers or texts; probabilities (N, K): of each class, written with
    six decimals; ids (N): 0 to N - 1 by default; more: further columns, each (N), such as the
    input itself; classes (K): what each class is called, by default its number.
    """
    columns = {"id": range(len(label)) if ids is None else ids, **(more or {})}
    columns |= {"label": label, "prediction": prediction}
    if probabilities is not None:
        names = classes if classes is not None else range(probabilities.shape[1])
        for name, of in zip(names, probabilities.T, strict=True):
            columns[f"p_{name}"] = [f"{p:.6f}" for p in of]
    rows = zip(*columns.values(), strict=True)
    write_csv(path, (dict(zip(columns, row, strict=True)) for row in rows), list(columns))
