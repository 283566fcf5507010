"""Plot attention maps: a row per layer, a column per head; each row of a map sums to one.

Colour is the square root of the weight, so that small weights differ visibly from zero.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm
from pydantic import Field

from pipeline import settings
from pipeline.errors import InputError
from reporting import plots

TICKS = 48  # Most tokens that are written at an axis; beyond, every other or every third is.


class Spec(plots.Look):
    heat_map: str = Field("Blues", description="colour map")


def ticks(tokens: np.ndarray) -> tuple[range, list[str]]:
    """Where tokens are written and how: blanks are made visible."""
    step = -(-len(tokens) // TICKS)
    shown = range(0, len(tokens), step)
    names = [str(tokens[i]).replace("\n", "⏎").replace(" ", "␣") for i in shown]
    return shown, [plots.plain(name) for name in names]


def plot(stored: dict[str, np.ndarray], title: str, spec: Spec) -> plt.Figure:
    """weights (layers, H, Tq, Tk) with query_tokens (Tq,), key_tokens (Tk,), layer_names."""
    weights, queries, keys = (stored[k] for k in ("weights", "query_tokens", "key_tokens"))
    if weights.ndim != 4 or weights.shape[2:] != (len(queries), len(keys)):
        expected = f"(layers, heads, {len(queries)}, {len(keys)})"
        raise InputError(f"attention weights: expected {expected}, found {weights.shape}")
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
        image = axes.imshow(weights[layer, head], cmap=spec.heat_map, norm=norm, aspect="auto")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=small)
        axes.set_title(f"{plots.plain(named[layer])}, head {head + 1}", fontsize=8.5)
        axes.set_xticks(*ticks(keys), rotation=90 if max(map(len, keys)) > 1 else 0)
        axes.set_yticks(*ticks(queries))
    figure.supxlabel("token that is read (key)", fontsize=9.5, color=plots.GREY)
    figure.supylabel("token that reads (query)", fontsize=9.5, color=plots.GREY)
    bar = figure.colorbar(image, ax=grid, pad=0.01, aspect=30)
    bar.set_label("attention weight")
    bar.outline.set_visible(False)
    figure.suptitle(plots.plain(title), x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    return figure


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"attention*": "attention.npz: weights of attention layers on an example"},
        outputs={"figures": "folder of the figures"},
    )
    plots.start(args.spec.dpi)
    for path, name, title in plots.figures(args.spec, args.attention):
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        title = plots.titled(title, arrays)
        plots.save(plot(arrays, title, args.spec), args.figures / name)


if __name__ == "__main__":
    settings.run(main)
