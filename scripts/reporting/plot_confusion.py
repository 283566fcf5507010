"""Plot confusion matrices of the test split: rows are the true classes, columns the predicted."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from pydantic import Field

from pipeline import settings
from pipeline.errors import InputError
from reporting import plots

WRITTEN = 12  # Most classes for which the numbers are written into the cells.


class Spec(plots.Look):
    heat_map: str = Field("Blues", description="colour map")


def confusion(label: np.ndarray, prediction: np.ndarray, classes: int) -> np.ndarray:
    """counts (K, K) int64: counts[i, j] examples of class i were predicted as class j."""
    return np.bincount(label * classes + prediction, minlength=classes**2).reshape(classes, -1)


def class_names(meta: Path, classes: int) -> list[str]:
    """The names in a data set's meta.json, or the numbers 0 to K-1 if it has none for each."""
    names = json.loads(meta.read_text(encoding="utf-8")).get("classes")
    return (
        [str(name) for name in names]
        if names and len(names) == classes
        else [str(number) for number in range(classes)]
    )


def plot(counts: np.ndarray, names: list[str], title: str, spec: Spec) -> plt.Figure:
    classes = len(counts)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(2.6, min(0.44 * classes, 9.0))
    figure, axes = plt.subplots(figsize=(side + 2.2, side + 1.4))
    image = axes.imshow(shares, cmap=spec.heat_map, vmin=0, vmax=1)
    if classes <= WRITTEN:
        for i, j in zip(*counts.nonzero(), strict=True):
            style = {"ha": "center", "va": "center", "fontsize": 7.5 if classes > 4 else 9}
            axes.text(
                j, i, str(counts[i, j]), color=plots.text_colour(image, shares[i, j]), **style
            )
    longest = max(map(len, names))
    step = 1 if classes <= 40 else classes // 20
    ticks, shown = range(0, classes, step), [plots.plain(name) for name in names[::step]]
    axes.set_xticks(
        ticks, shown, rotation=45 if longest > 3 else 0, ha="right" if longest > 3 else "center"
    )
    axes.set_yticks(ticks, shown)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    right, total = int(np.trace(counts)), int(counts.sum())
    share = f"test split: {right:,} of {total:,} right ({right / total:.2%})"
    plots.heading(figure, title, share)
    return figure


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "predictions*": "predictions.csv of every classifier",
            "meta*": "meta.json of each one's data set, for the classes' names",
        },
        outputs={"figures": "folder of the figures"},
    )
    plots.start(args.spec.dpi)
    chosen = plots.figures(args.spec, args.predictions)
    for (path, name, title), meta in zip(chosen, args.meta, strict=True):
        found = pd.read_csv(path)
        if found.empty or not {"label", "prediction"} <= set(found.columns):
            expected = "expected rows with the columns label and prediction"
            raise InputError(
                f"{path}: {expected}, found {len(found)} rows of {list(found.columns)}"
            )
        label, prediction = (found[key].to_numpy(np.int64) for key in ("label", "prediction"))
        probabilities = sum(column.startswith("p_") for column in found.columns)
        classes = max(probabilities, int(max(label.max(), prediction.max())) + 1)
        counts = confusion(label, prediction, classes)
        figure = plot(counts, class_names(meta, classes), title, args.spec)
        plots.save(figure, args.figures / name)


if __name__ == "__main__":
    settings.run(main)
