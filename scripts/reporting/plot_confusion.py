"""Plot confusion matrices of the test split: rows are the true classes, columns the predicted."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pipeline import settings
from pipeline.errors import InputError
from pipeline.read_json import read_json
from reporting import plots

WRITTEN = 12  # Most classes for which the numbers are written into the cells.


def confusion(label: np.ndarray, prediction: np.ndarray, classes: int) -> np.ndarray:
    """counts (K, K) int64: counts[i, j] examples of class i were predicted as class j."""
    return np.bincount(label * classes + prediction, minlength=classes**2).reshape(classes, -1)


def class_names(meta: Path, classes: int) -> list[str]:
    """The names in a data set's meta.json, or the numbers 0 to K-1 if it has none for each."""
    names = read_json(meta, []).get("classes") or []
    return [str(name) for name in (names if len(names) == classes else range(classes))]


def answers(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Of a predictions.csv: label (N,), prediction (N,) int64, and how many classes have a column.

    Raises InputError for a file without rows or with something else in them.
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(("label", "prediction"), np.int64))
        label, prediction = (table[name].to_numpy() for name in ("label", "prediction"))
        if min(label.min(initial=0), prediction.min(initial=0)) < 0 or not label.size:
            raise ValueError(f"{label.size} rows, or a class below 0")
    except (ValueError, KeyError, OverflowError) as error:
        found = " ".join(str(error).split())
        wanted = "rows of whole numbers in the columns label and prediction"
        raise InputError(f"{path}: expected {wanted}, found: {found}. Evaluate again.") from None
    return label, prediction, int(table.columns.str.startswith("p_").sum())


def plot(files: tuple[Path, Path], title: str, look: plots.Look) -> plt.Figure:
    """files: predictions.csv and the meta.json of its data set."""
    label, prediction, columns = answers(files[0])
    classes = max(columns, label.max() + 1, prediction.max() + 1)
    counts, names = confusion(label, prediction, classes), class_names(files[1], classes)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(2.6, min(0.44 * classes, 9.0))
    figure, axes = plt.subplots(figsize=(side + 2.2, side + 1.4))
    image = axes.imshow(shares, cmap=look.heat_map, vmin=0, vmax=1)
    if classes <= WRITTEN:
        style = {"ha": "center", "va": "center", "fontsize": 7.5 if classes > 4 else 9}
        for i, j in zip(*counts.nonzero(), strict=True):
            axes.text(j, i, counts[i, j], color=plots.text_colour(image, shares[i, j]), **style)
    tilted = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 3 else {}
    axes.set_xticks(range(classes), map(plots.plain, names), **tilted)
    axes.set_yticks(range(classes), map(plots.plain, names))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted class", ylabel="true class")
    plots.colour_bar(image, "share of the true class", ax=axes, fraction=0.046, pad=0.03)
    right, total = np.trace(counts), counts.sum()
    plots.heading(figure, title, f"test split: {right:,} of {total:,} right ({right / total:.2%})")
    return figure


def main() -> None:
    inputs = {
        "predictions*": "predictions.csv of every classifier",
        "meta*": "meta.json of each one's data set, for the classes' names",
    }
    args = plots.arguments(__doc__, plots.Look, inputs)
    plots.plot_each(args, zip(args.predictions, args.meta, strict=True), plot)


if __name__ == "__main__":
    settings.run(main)
