"""Plot image classifiers side by side: accuracy by training compute and by shift, first filters."""

import matplotlib.pyplot as plt
import numpy as np

from pipeline import settings
from pipeline.npz import read_npz
from reporting import plots
from reporting.formats import flops, weights

MARKS, LINES = ("o", "s", "D"), ("dotted", "dashed", "solid")
COLUMNS = 12  # filters in a row
ARRAYS = ("model", "parameters", "curve", "accuracy", "shifted", "filters")


def mosaic(filters: np.ndarray) -> np.ndarray:
    """Filters uint8 (n, H, W, C) side by side on white: (rows (H + 1), COLUMNS (W + 1), 3)."""
    n, height, width, channels = filters.shape
    rows = -(-n // COLUMNS)
    gap_y, gap_x = -(-height // 8), -(-width // 8)
    tiles = np.full((rows * COLUMNS, height + gap_y, width + gap_x, 3), 255, np.uint8)
    tiles[:n, :height, :width] = filters  # one channel is repeated
    tiles = tiles.reshape(rows, COLUMNS, *tiles.shape[1:]).swapaxes(1, 2)
    return tiles.reshape(rows * (height + gap_y), COLUMNS * (width + gap_x), 3)


def plot(studies: list[dict[str, np.ndarray]], title: str, look: plots.Look) -> plt.Figure:
    """studies: the study.npz of each model."""
    figure = plt.figure(figsize=(9, 3.6 + 1.0 * len(studies)))
    rows = figure.add_gridspec(1 + len(studies), 2, height_ratios=[3.4] + [1.0] * len(studies))
    cost, shift = (figure.add_subplot(rows[0, column]) for column in range(2))
    colours = [plots.GREY, look.mark, look.ours]
    for place, found in enumerate(studies):
        style = {"color": colours[place % 3], "ls": LINES[place % 3]}
        name = plots.plain(found["model"])
        spent, accuracy = found["curve"].T
        told = f"{name}: {weights(int(found['parameters']))} weights, {flops(spent[-1])}"
        cost.plot(spent, accuracy, **style, label=told)
        mark = style | {"marker": MARKS[place % 3], "markersize": 6}
        cost.plot(spent[-1:], [float(found["accuracy"])], **mark)
        shift.plot(range(len(found["shifted"])), found["shifted"], **mark, label=name)
        axes = figure.add_subplot(rows[1 + place, :])
        axes.imshow(mosaic(found["filters"]), interpolation="nearest")
        axes.set_title(f"first filters, {name}", fontsize=8.5, fontweight="normal")
        axes.axis("off")
    cost.set_xscale("log")
    cost.set_xlabel("training compute (floating-point operations)")
    cost.set_ylabel("accuracy: line training, mark test")
    cost.legend(loc="lower right", fontsize=7)
    shift.set_xlabel("pixels by which the test images are shifted")
    shift.set_ylabel("accuracy")
    shift.set_xticks(range(max(len(found["shifted"]) for found in studies)))
    shift.legend(loc="best", fontsize=7)
    for axes in (cost, shift):
        axes.grid(axis="y")
    plots.heading(figure, f"{title}: what a net costs, sees and misses")
    return figure


def main() -> None:
    args = plots.arguments(__doc__, plots.Look, {"studies*": "study.npz of image classifiers"})
    plots.plot_each(args, [[read_npz(path, ARRAYS) for path in args.studies]], plot)


if __name__ == "__main__":
    settings.run(main)
