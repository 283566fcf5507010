"""Plot example images of the test split with true and predicted class; wrong ones are framed."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from pydantic import Field

from pipeline import settings
from pipeline.npz import read_npz
from reporting import plots
from reporting.settings import Colour

COLUMNS = 6


class Spec(plots.Look):
    examples: int = Field(24, ge=1, le=100, description="images shown")
    wrong: Colour = Field("#D55E00", description="colour of wrong predictions")


def plot(stored: dict[str, np.ndarray], title: str, spec: Spec) -> plt.Figure:
    """images uint8 (N, H, W) or (N, H, W, 3), label and prediction int64 (N,), classes str (K,)."""
    title = plots.titled(title, str(stored["title"]))
    names = ("images", "label", "prediction")
    images, label, prediction = (stored[name][: spec.examples] for name in names)
    classes = [plots.plain(name) for name in stored["classes"]]
    rows = max(1, -(-len(images) // COLUMNS))
    size = (6.6, 1.45 * rows + 0.6 + 0.2 * (len(title) > 60))
    figure, grid = plt.subplots(rows, COLUMNS, figsize=size, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, true, found in zip(grid.flat, images, label, prediction, strict=False):
        greys = {"cmap": "gray", "vmin": 0, "vmax": max(255 if image.max() > 16 else 16, 1)}
        axes.imshow(image, interpolation="nearest", **(greys if image.ndim == 2 else {}))
        style = {"fontsize": 7.5, "pad": 3, "loc": "center"}
        if true == found:
            axes.set_title(classes[true], fontweight="normal", **style)
        else:
            axes.set_title(f"✗ {classes[found]}\nis {classes[true]}", color=spec.wrong, **style)
            height, width = image.shape[:2]
            frame = {"fill": False, "edgecolor": spec.wrong, "linewidth": 2.5, "clip_on": False}
            axes.add_patch(Rectangle((-0.5, -0.5), width, height, **frame))
    wrong = (label != prediction).sum()
    plots.heading(figure, title, f"{len(images)} test images, {wrong} of them wrong (framed, ✗)")
    return figure


def main() -> None:
    args = plots.arguments(__doc__, Spec, {"images*": "examples.npz of every image classifier"})
    plots.plot_each(args, map(read_npz, args.images), plot)


if __name__ == "__main__":
    settings.run(main)
