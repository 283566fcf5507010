"""Plot the losses of one model, trained by hand and by autograd: two lines that are one."""

import matplotlib.pyplot as plt
import numpy as np

from pipeline import settings
from pipeline.read_json import read_json
from reporting import plots


def plot(found: dict, title: str, look: plots.Look) -> plt.Figure:
    """found: a twins.json. Above the losses in float32, below how far each step's two differ."""
    figure, (losses, differences) = plt.subplots(
        2, figsize=(9, 5.2), sharex=True, height_ratios=(2, 1)
    )
    by_hand, by_autograd = (np.array(found["float32"][name]) for name in ("numpy", "torch"))
    steps = np.arange(1, len(by_hand) + 1)
    losses.plot(steps, by_hand, color=look.ours, lw=4.5, alpha=0.4, label="NumPy, by hand")
    losses.plot(steps, by_autograd, color=look.mark, lw=1.1, ls="dashed", label="PyTorch")
    losses.set_ylabel("loss (nats)")
    losses.legend(loc="upper right")
    for dtype, style in (("float32", "solid"), ("float64", "dotted")):
        pair = found[dtype]
        apart = np.abs(np.subtract(pair["numpy"], pair["torch"]))
        label = f"{dtype}: at most {pair['largest_difference']:.1g}"
        # Where both are the same number, the logarithm has no place for the difference.
        there = apart > 0
        line = {"color": plots.GREY, "ls": style, "lw": 1.2, "label": label}
        differences.plot(steps[: len(apart)][there], apart[there], **line)
    differences.set_yscale("log")
    differences.set_ylabel("difference (nats)")
    differences.set_xlabel("step of the optimiser")
    differences.legend(loc="lower right")
    for axes in (losses, differences):
        axes.grid(axis="y")
    plots.heading(figure, f"{title}: {found['model']}")
    return figure


def main() -> None:
    args = plots.arguments(__doc__, plots.Look, {"twins*": "twins.json of gpt.compare_twins"})
    twins = (read_json(path, ["model", "float32", "float64"]) for path in args.twins)
    plots.plot_each(args, twins, plot)


if __name__ == "__main__":
    settings.run(main)
