"""Plot cross-validated searches: learning rate x batch size, a panel per dropout rate.

A cell holds the mean validation accuracy over the folds and its deviation, on one colour scale for
all panels; a frame marks the candidate that was selected, hatching one that diverged. The test set
takes no part.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from pipeline import settings
from pipeline.read_json import read_json
from reporting import plots

# The colours end so many times the median's distance below the best, so that a few lost candidates
# hide no difference between the good ones; but at least LEAST below it.
SPAN, LEAST = 3.0, 0.01
KEYS = ("lr", "batch_size", "dropout")


def plot(selection: dict, title: str, spec: plots.Look) -> plt.Figure:
    candidates = selection["candidates"]
    lrs, batch_sizes, dropouts = (sorted({c[key] for c in candidates}) for key in KEYS)
    means = [c["mean"] for c in candidates if c["mean"] is not None]
    best = max(means)
    worst = max(min(means), best - max(LEAST, SPAN * (best - float(np.median(means)))))
    limits = {"vmin": worst, "vmax": best if best > worst else worst + 1e-3}
    width = 1.7 + len(dropouts) * max(1.5, 0.95 * len(batch_sizes))
    size = (width, 1.5 + max(1.0, 0.62 * len(lrs)))
    figure, panels = plt.subplots(1, len(dropouts), figsize=size, squeeze=False, sharey=True)
    for axes, dropout in zip(panels.flat, dropouts, strict=True):
        here = [c for c in candidates if c["dropout"] == dropout]
        places = [(lrs.index(c["lr"]), batch_sizes.index(c["batch_size"])) for c in here]
        grid = np.full((len(lrs), len(batch_sizes)), np.nan)
        for place, candidate in zip(places, here, strict=True):
            grid[place] = candidate["mean"]  # None, of one that diverged, becomes NaN.
        image = axes.imshow(grid, aspect="auto", cmap=spec.heat_map, **limits)
        for (row, column), candidate in zip(places, here, strict=True):
            text, colour, corner = "diverged", plots.INK, (column - 0.5, row - 0.5)
            if (mean := candidate["mean"]) is None:
                hatched = {"hatch": "////", "edgecolor": plots.FAINT, "linewidth": 0}
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, **hatched))
            else:
                std = candidate["std"]
                text = f"{100 * mean:.2f}" + ("" if std is None else f"\n± {100 * std:.2f}")
                colour = plots.text_colour(image, mean)
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
            if all(candidate[key] == selection["selected"][key] for key in KEYS):
                style = {"edgecolor": spec.mark, "linewidth": 3, "clip_on": False, "zorder": 5}
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, **style))
        finish_panel(axes, batch_sizes, lrs)
        axes.set_title(f"dropout {dropout:g}", fontsize=9.5)
    panels[0, 0].set_ylabel("learning rate")
    below = "min" if worst > min(means) else None
    bar = plots.colour_bar(image, "accuracy (%)", ax=panels, pad=0.02, extend=below)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.1f}")
    folds = max(len(candidate["fold_accuracy"]) for candidate in candidates)
    plots.heading(figure, title, f"validation accuracy (%), mean of {folds} folds ± deviation")
    return figure


def finish_panel(axes: Axes, batch_sizes: list[int], lrs: list[float]) -> None:
    """Ticks, white lines between the cells, no frame."""
    axes.set_xticks(range(len(batch_sizes)), batch_sizes)
    axes.set_yticks(range(len(lrs)), [f"{value:g}" for value in lrs])
    axes.set_xticks(np.arange(len(batch_sizes) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(lrs) - 1) + 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.set_axisbelow(False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("batch size")


def main() -> None:
    args = plots.arguments(__doc__, plots.Look, {"selections*": "selection.json of every search"})
    selections = (read_json(path, ["candidates", "selected"]) for path in args.selections)
    plots.plot_each(args, selections, plot)


if __name__ == "__main__":
    settings.run(main)
