"""Plot attention maps: a row per layer, a column per head; each row of a map sums to one.

Colour is the square root of the weight, so that small weights differ visibly from zero.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from pipeline import settings
from pipeline.npz import read_npz
from reporting import plots

TICKS = 48  # Most tokens that are written at an axis; beyond, every other or every third is.


def ticks(tokens: np.ndarray) -> tuple[range, list[str]]:
    """Where tokens are written and how: blanks are made visible."""
    shown = range(0, len(tokens), -(-len(tokens) // TICKS))
    names = [str(tokens[i]).replace("\n", "⏎").replace(" ", "␣") for i in shown]
    return shown, [plots.plain(name) for name in names]


def plot(stored: dict[str, np.ndarray], title: str, look: plots.Look) -> plt.Figure:
    """weights (layers, H, Tq, Tk) with query_tokens (Tq,), key_tokens (Tk,), layer_names."""
    weights, queries, keys = (stored[k] for k in ("weights", "query_tokens", "key_tokens"))
    layers, heads = weights.shape[:2]
    # One map is wide enough for its tokens; many share the width of the page.
    width = max(2.1, min(9.0 / heads, 0.17 * len(keys)))
    height = max(1.6, min(width * len(queries) / len(keys), 6.0))
    size = (width * heads + 1.6, height * layers + 1.1)
    figure, grid = plt.subplots(
        layers, heads, figsize=size, squeeze=False, sharex=True, sharey=True
    )
    named = [str(name) for name in stored.get("layer_names", range(layers))]
    norm = PowerNorm(0.5, vmin=0, vmax=float(weights.max()) or 1.0)
    small = max(4.0, min(8.0, 72 * min(width / len(keys), height / len(queries)) * 0.85))
    for (layer, head), axes in np.ndenumerate(grid):
        image = axes.imshow(weights[layer, head], cmap=look.heat_map, norm=norm, aspect="auto")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=small)
        axes.set_title(f"{plots.plain(named[layer])}, head {head + 1}", fontsize=8.5)
        axes.set_xticks(*ticks(keys), rotation=90 if max(map(len, keys)) > 1 else 0)
        axes.set_yticks(*ticks(queries))
    figure.supxlabel("token that is read (key)", fontsize=9.5, color=plots.GREY)
    figure.supylabel("token that reads (query)", fontsize=9.5, color=plots.GREY)
    plots.colour_bar(image, "attention weight", ax=grid, pad=0.01, aspect=30)
    plots.heading(figure, plots.titled(title, str(stored["title"])))
    return figure


def main() -> None:
    inputs = {"attention*": "attention.npz: weights of attention layers on an example"}
    args = plots.arguments(__doc__, plots.Look, inputs)
    plots.plot_each(args, map(read_npz, args.attention), plot)


if __name__ == "__main__":
    settings.run(main)
