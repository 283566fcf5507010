"""Plot searches by successive halving: validation accuracy over epochs, a line per candidate.

Each rung trains the best of the rung before for more epochs. Accuracy is drawn by the logarithm of
the error, so that the best candidates, a few tenths of a percent apart, do not lie on one another.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from pipeline import settings
from reporting import plots
from reporting.race import label, paths, shown

TICKS = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.88, *(n / 100 for n in range(90, 100)), 0.995)
# Errors of more than so many times the upper quartile of a rung lie on the lower edge.
LATER = 1.25
KEYS = ("rung", "candidates", "epochs", "survivors", "seconds")


def height(accuracy: float | np.ndarray) -> np.ndarray:
    """Where an accuracy is drawn: minus the logarithm of the error."""
    return -np.log10(np.maximum(1 - np.asarray(accuracy, dtype=float), 1e-4))


def lowest(rung: dict) -> float:
    """The accuracy below which candidates lie on the lower edge, so that a few bad ones do not
    squeeze the others together."""
    known = [c["accuracy"] for c in rung["candidates"] if c["accuracy"] is not None]
    return max(min(known), 1 - LATER * float(np.quantile(1 - np.array(known), 0.75)))


def draw(axes: Axes, rungs: list[dict], spec: plots.Look) -> None:
    """A line per candidate; colour, width and the mark at its end say how far it came."""
    routes = sorted(paths(rungs).items(), key=lambda item: len(item[1]))
    bottom = height(lowest(rungs[0]))
    top = height(max(accuracy for _, route in routes for _, accuracy in route))
    for place, (name, route) in enumerate(routes):
        wins, last = name == rungs[-1]["leader"], len(route) == len(rungs)
        first = len(route) == 1 and not last
        colour = spec.mark if wins else plots.GREY if first else spec.ours
        x, accuracy = np.array(route).T
        if first:
            x = x * (1 + 0.012 * (place % 5 - 2))  # Equal accuracies would hide one another.
        y = height(accuracy)
        front = 2 + len(route) + wins
        style = {"lw": 3.0 if wins else 1.7 if last else 1.0, "alpha": 1 if last else 0.6}
        axes.plot(x, np.maximum(y, bottom), color=colour, zorder=front, **style)
        mark = "v" if y[-1] < bottom else "o" if last else "x"
        size = {"s": 60 if wins else 24, "linewidths": 1.2, "zorder": front + 2}
        axes.scatter(x[-1], max(y[-1], bottom), color=colour, marker=mark, **size)
        if wins:
            text = plots.plain(f"{name}\n{100 * accuracy[-1]:.2f} %")
            style = {"color": colour, "fontweight": "bold", "xytext": (11, 0), **plots.BESIDE}
            axes.annotate(text, (x[-1], y[-1]), **style)
    if low := sum(height(route[-1][1]) < bottom for _, route in routes):
        style = {"color": plots.GREY, "fontsize": 8, "xytext": (16, 0), **plots.BESIDE}
        axes.annotate(f"{low} below", (rungs[0]["epochs"], bottom), **style)
    room = 0.07 * (top - bottom or 0.1)
    axes.set_ylim(bottom - room, top + room)
    ticks = [tick for tick in TICKS if bottom - room <= height(tick) <= top + room]
    axes.set_yticks(height(ticks), [f"{100 * tick:g} %" for tick in ticks])
    epochs = [rung["epochs"] for rung in rungs]
    axes.set_xscale("log")
    axes.set_xticks(epochs, epochs)
    axes.minorticks_off()
    axes.set_xlim(epochs[0] / 1.3, epochs[-1] * 1.4)
    axes.set_xlabel("epochs of a candidate's training in the rung (logarithmic)")
    axes.set_ylabel("validation accuracy")
    axes.grid(axis="both")


def plot(rungs: list[dict], title: str, spec: plots.Look) -> plt.Figure:
    """rungs: the contents of their ranking.json, in any order."""
    rungs = sorted(map(shown, rungs), key=lambda rung: rung["rung"])
    figure, axes = plt.subplots(figsize=(9, 4.9))
    draw(axes, rungs, spec)
    for rung in rungs:
        lost = f", {rung['diverged']} diverged" if rung["diverged"] else ""
        folds = f" × {rung['folds']} folds" if rung["folds"] > 1 else ""
        text = f"{len(rung['candidates'])} candidates{folds} × {rung['epochs']} epochs{lost}"
        above = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
        style = {"fontsize": 8.5, "color": plots.GREY, **above}
        axes.annotate(f"{text}\n{rung['seconds']} seconds", (rung["epochs"], 1.01), **style)
    best = rungs[-1]["candidates"][0]
    winner = f"winner {best['candidate']}: {label(best['settings'])}"
    looks = [
        (spec.mark, 3.0, "o", 7, textwrap.fill(plots.plain(winner), 122)),
        (spec.ours, 1.7, "o", 5, "in the last rung"),
        *[(spec.ours, 1.0, "x", 5, "out on the way")][: len(rungs) > 2],
        *[(plots.GREY, 0.0, "x", 5, "out after the first rung")][: len(rungs) > 1],
    ]
    handles = [
        plt.Line2D([], [], color=colour, lw=width, marker=mark, markersize=size, label=text)
        for colour, width, mark, size, text in looks
    ]
    figure.legend(handles=handles[:1], loc="outside lower left", borderaxespad=0.2)
    axes.legend(handles=handles[1:], loc="lower right")
    plots.heading(figure, title)
    return figure


def main() -> None:
    args = plots.arguments(__doc__, plots.Look, {"rankings*": "ranking.json of the rungs"})
    plots.plot_each(args, plots.grouped(args.spec, args.rankings, KEYS), plot)


if __name__ == "__main__":
    settings.run(main)
