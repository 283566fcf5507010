"""Plot cross-validated searches: learning rate x batch size, a panel per dropout rate.

A cell holds the mean validation accuracy over the folds and its deviation, on one colour scale for
all panels; a frame marks the candidate that was selected, hatching one that diverged. The test set
takes no part.
"""

import json

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from pydantic import Field

from pipeline import settings
from pipeline.errors import InputError
from reporting import plots

# The colours end so many times the median's distance below the best, so that a few lost candidates
# hide no difference between the good ones; but at least LEAST below it.
SPAN, LEAST = 3.0, 0.01


class Spec(plots.Look):
    heat_map: str = Field("Blues", description="colour map")
    mark: str = Field("#D55E00", pattern=plots.COLOUR, description="colour of the selected cell")


def plot(selection: dict, title: str, spec: Spec) -> plt.Figure:
    candidates = selection["candidates"]
    axis = {k: sorted({c[k] for c in candidates}) for k in ("lr", "batch_size", "dropout")}
    means = [c["mean"] for c in candidates if c["mean"] is not None and np.isfinite(c["mean"])]
    if not means:
        raise InputError("selection: expected candidates with a finite mean, found none")
    best = max(means)
    worst = max(min(means), best - max(LEAST, SPAN * (best - float(np.median(means)))))
    n_rows, n_columns, n_panels = (len(axis[k]) for k in ("lr", "batch_size", "dropout"))
    size = (1.7 + n_panels * max(1.5, 0.95 * n_columns), 1.5 + max(1.0, 0.62 * n_rows))
    figure, panels = plt.subplots(1, n_panels, figsize=size, squeeze=False, sharey=True)
    chosen = selection["selected"]
    for axes, dropout in zip(panels.flat, axis["dropout"], strict=True):
        grid = np.full((n_rows, n_columns), np.nan)
        here = [c for c in candidates if c["dropout"] == dropout]
        for c in here:
            mean = np.nan if c["mean"] is None else c["mean"]
            grid[axis["lr"].index(c["lr"]), axis["batch_size"].index(c["batch_size"])] = mean
        limits = {"vmin": worst, "vmax": best if best > worst else worst + 1e-3}
        image = axes.imshow(grid, aspect="auto", cmap=spec.heat_map, **limits)
        for c in here:
            y, x = axis["lr"].index(c["lr"]), axis["batch_size"].index(c["batch_size"])
            known = c["mean"] is not None and np.isfinite(c["mean"])
            text = f"{100 * c['mean']:.2f}" if known else "diverged"
            if known and c.get("std") is not None:
                text += f"\n± {100 * c['std']:.2f}"
            if not known:
                lost = {"fill": False, "hatch": "////", "edgecolor": plots.FAINT, "linewidth": 0}
                axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, **lost))
            colour = plots.text_colour(image, c["mean"]) if known else plots.INK
            axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=8)
            if all(c[k] == chosen[k] for k in ("lr", "batch_size", "dropout")):
                frame = {"fill": False, "edgecolor": spec.mark, "linewidth": 3, "clip_on": False}
                axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, zorder=5, **frame))
        axes.set_xticks(range(n_columns), [str(v) for v in axis["batch_size"]])
        axes.set_yticks(range(n_rows), [f"{v:g}" for v in axis["lr"]])
        axes.tick_params(length=0)
        axes.set_xticks(np.arange(n_columns - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(n_rows - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="minor", length=0)
        axes.set_axisbelow(False)
        axes.spines[:].set_visible(False)
        axes.set_title(f"dropout {dropout:g}", fontsize=9.5)
        axes.set_xlabel("batch size")
    panels[0, 0].set_ylabel("learning rate")
    folds = max(len(c.get("fold_accuracy", [])) for c in candidates)
    bar = figure.colorbar(image, ax=panels, pad=0.02, extend="min" if worst > min(means) else None)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.1f}")
    bar.set_label("accuracy (%)")
    bar.outline.set_visible(False)
    plots.heading(figure, title, f"validation accuracy (%), mean of {folds} folds ± deviation")
    return figure


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"selections*": "selection.json of every search"},
        outputs={"figures": "folder of the figures"},
    )
    plots.start(args.spec.dpi)
    for path, name, title in plots.figures(args.spec, args.selections):
        selection = json.loads(path.read_text(encoding="utf-8"))
        plots.save(plot(selection, title, args.spec), args.figures / name)


if __name__ == "__main__":
    settings.run(main)
