"""Plot tables of positional encodings: the table, some columns, how positions compare."""

import matplotlib.pyplot as plt
import numpy as np

from pipeline import settings
from pipeline.npz import read_npz
from reporting import plots

SHOWN = (0.0, 0.15, 0.3, 0.5)  # Columns drawn as curves, as shares of the width.


def plot(tables: dict[str, np.ndarray], title: str, look: plots.Look) -> plt.Figure:
    """A row of three panels for each table (T, D)."""
    styles = ("solid", "dashed", "dashdot", "dotted")
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
    size = (9.6, 3.1 * len(tables) + 0.4)
    figure, grid = plt.subplots(len(tables), 3, figsize=size, squeeze=False)
    for panels, (name, table) in zip(grid, tables.items(), strict=True):
        table_axes, curve_axes, similar_axes = panels
        end = float(np.abs(table).max()) or 1.0
        image = table_axes.imshow(table, cmap="RdBu_r", vmin=-end, vmax=end, aspect="auto")
        table_axes.set(xlabel="dimension", ylabel="position")
        table_axes.set_title(f"{plots.plain(name)}: the table")
        plots.colour_bar(image, ax=table_axes, pad=0.02)
        for share, style, colour in zip(SHOWN, styles, colours, strict=True):
            column = int(share * (table.shape[1] - 1)) // 2 * 2
            curve_axes.plot(table[:, column], ls=style, color=colour, label=f"dimension {column}")
        curve_axes.set(xlabel="position", ylabel="value")
        curve_axes.set_ylim(-1.1 * end, 1.75 * end)
        curve_axes.set_title("four of its columns")
        curve_axes.legend(ncols=2, loc="upper center", fontsize=7.5)
        unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
        image = similar_axes.imshow(unit @ unit.T, cmap=look.heat_map, vmax=1, aspect="auto")
        similar_axes.set(xlabel="position", ylabel="position")
        similar_axes.set_title("cosine of two positions")
        plots.colour_bar(image, ax=similar_axes, pad=0.02)
        for axes in (table_axes, similar_axes):
            axes.spines[:].set_visible(False)
    plots.heading(figure, title)
    return figure


def main() -> None:
    inputs = {"positions*": "positions.npz: tables of positional encodings, (T, D) each"}
    args = plots.arguments(__doc__, plots.Look, inputs)
    plots.plot_each(args, map(read_npz, args.positions), plot)


if __name__ == "__main__":
    settings.run(main)
