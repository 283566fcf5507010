"""Plot training curves: a figure per room, a panel per model and quantity, a line per seed."""

import textwrap
from itertools import groupby

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from pydantic import Field

from pipeline import settings
from reporting import plots
from reporting.formats import counted, trained_label
from reporting.settings import Colour

QUANTITIES = {"loss": "loss (nats)", "accuracy": "accuracy", "exact_match": "exact match"}


class Spec(plots.Look):
    datasets: dict[str, str] = Field({}, description="data set -> its title")
    train: Colour = Field("#8C8C8C", description="colour of training curves")


def draw(axes: Axes, histories: list[dict], quantity: str, spec: Spec) -> None:
    """One panel: training dashed, validation solid, every seed a line of its own."""
    by = "epoch" if all("epoch" in p for h in histories for p in h["curve"]) else "step"
    for key, label, colour, style in (
        (f"train_{quantity}", "training", spec.train, (0, (4, 1.6))),
        (f"val_{quantity}", "validation", spec.ours, "solid"),
    ):
        for history in histories:
            points = [(p[by], p[key]) for p in history["curve"] if p.get(key) is not None]
            if points:
                mark = "o" if len(points) < 3 else None
                line = {"color": colour, "ls": style, "marker": mark, "markersize": 3.5}
                axes.plot(*zip(*points, strict=True), label=label, alpha=0.85, **line)
                label = None  # The first line that there is tells it for all of its kind.
    axes.set_xlabel("epoch" if by == "epoch" else "step of the optimiser")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    axes.set_ylabel(QUANTITIES[quantity])
    axes.grid(axis="y")
    axes.legend(loc="best")


def quantities(histories: list[dict]) -> list[str]:
    keys = {key for h in histories for p in h["curve"] for key in p if p[key] is not None}
    return [name for name in QUANTITIES if keys & {f"train_{name}", f"val_{name}"}]


def trainings(histories: list[dict]) -> str:
    """How many there are of each kind: `3 seeds, 5 folds`; a fold's model is one without it."""
    folds = sum(history.get("fold") is not None for history in histories)
    counts = ((len(histories) - folds, "seed"), (folds, "fold"))
    return ", ".join(counted(*count) for count in counts if count[0])


def plot(histories: list[dict], _: str, spec: Spec) -> plt.Figure:
    # The panels have titles, the figure itself none.
    def model(history: dict) -> tuple:
        return history["task"], history["dataset"], trained_label(history)

    panels = []
    for (_, dataset, name), found in groupby(sorted(histories, key=model), key=model):
        group = sorted(found, key=lambda history: history.get("seed") or 0)
        panels += [(group, quantity, dataset, name) for quantity in quantities(group)]
    rows = (len(panels) + 1) // 2
    figure, grid = plt.subplots(rows, 2, figsize=(9, 2.75 * rows), squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (group, quantity, dataset, name) in zip(grid.flat, panels, strict=False):
        draw(axes, group, quantity, spec)
        title = f"{spec.datasets.get(dataset, dataset)}\n"
        title += textwrap.fill(f"{name}, {trainings(group)}", 44)
        axes.set_title(plots.plain(title), fontsize=9.5)
    return figure


def main() -> None:
    args = plots.arguments(__doc__, Spec, {"histories*": "history.json of every training"})
    plots.plot_each(
        args, plots.grouped(args.spec, args.histories, ["task", "dataset", "model", "curve"]), plot
    )


if __name__ == "__main__":
    settings.run(main)
