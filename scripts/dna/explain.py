"""What mattered in each sequence: every nucleotide is replaced by the others, one at a time.

    python -m dna.explain model.safetensors new.fasta --table effects.csv --picture effects.svg

The effect of a letter is how much the log-odds of the predicted class fall when another letter
takes its place (dna.mutagenesis): above 0, the letter speaks for the class. Columns of the table:
id, position (from 1), letter, prediction, mean_effect (over the three others), strongest_effect and
strongest_letter (the one whose effect is furthest from 0). The picture has the first sequences,
around the place that mattered most: the height of a letter is its mean effect. Sequences are read
one after another; each takes 3 L readings of L letters.
"""

import csv
from collections.abc import Iterator

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from dna.mutagenesis import Explained, explain
from dna.predict import INPUTS, fitting
from dna.sequence_files import read_sequences
from dna.sequences import LETTERS
from dna.settings import ExplainSpec
from dna.stored_model import load
from pipeline import settings
from pipeline.atomic import replacing
from pipeline.errors import InputError
from pipeline.torch_setup import setup

OUTPUTS = {"table": "effects.csv: a row for each letter", "picture": "effects.svg, .png or .pdf"}
COLUMNS = (
    "id", "position", "letter", "prediction", "mean_effect", "strongest_effect", "strongest_letter",
)  # fmt: skip
WINDOW = 80  # letters of a sequence in the picture
# Okabe and Ito's colours, safe for colour-blind eyes.
COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00", "N": "#8C8C8C"}
GREY = COLOURS["N"]


def rows(found: Explained) -> Iterator[tuple]:
    """The rows of the table, with COLUMNS."""
    strongest = np.abs(found.effects).argmax(axis=1)  # (L,)
    for place, token in enumerate(found.tokens):
        effects, best = found.effects[place], strongest[place]
        letters = LETTERS[token], LETTERS[found.others[place, best]]
        values = f"{effects.mean():.4f}", f"{effects[best]:.4f}"
        yield found.id, place + 1, letters[0], found.prediction, *values, letters[1]


def draw_letter(axes: Axes, letter: str, left: float, height: float) -> None:
    """A letter of width 0.9 and of `height`, upside down below 0."""
    path = TextPath(
        (0, 0), letter, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold")
    )
    box = path.get_extents()
    fit = Affine2D().translate(-box.x0, -box.y0).scale(0.9 / box.width, height / box.height)
    shape = path.transformed(fit.translate(left - 0.45, 0))
    axes.add_patch(PathPatch(shape, color=COLOURS[letter], linewidth=0))


def draw(found: list[Explained]) -> Figure:
    """A row for each sequence: its letters around the strongest one, as high as their effects."""
    # Without pyplot, which would ask for a backend.
    size = (9.5, 1.25 * len(found) + 0.5)
    figure = Figure(size, dpi=144, layout="constrained")
    all_axes = figure.subplots(len(found), 1, squeeze=False)
    for axes, one in zip(all_axes[:, 0], found, strict=True):
        mean = one.effects.mean(axis=1)  # (L,)
        begin = int(np.abs(mean).argmax()) - WINDOW // 2
        begin = max(0, min(begin, len(mean) - WINDOW))
        places = range(begin, min(begin + WINDOW, len(mean)))
        for place in places:
            if abs(mean[place]) > 1e-3:
                draw_letter(axes, LETTERS[one.tokens[place]], place + 1, mean[place])
        low, high = min(0, mean[places].min()), max(0, mean[places].max())
        axes.set_xlim(places[0] + 0.4, places[-1] + 1.6)
        axes.set_ylim(1.05 * low - 1e-3, 1.05 * high + 1e-3)
        axes.axhline(0, color=GREY, linewidth=0.6)
        title = f"{one.id[:40]}: {one.prediction}, p = {one.probability:.3f}"
        axes.set_title(title.replace("$", r"\$"), fontsize=9)
        axes.set_ylabel("effect", fontsize=8)
    all_axes[-1, 0].set_xlabel("position")
    return figure


def main() -> None:
    args = settings.arguments(__doc__, ExplainSpec, INPUTS, OUTPUTS)
    if (ending := args.picture.suffix.lower()) not in (".svg", ".png", ".pdf"):
        raise InputError(f"--picture: expected a name in .svg, .png or .pdf, found {ending!r}")
    model, about = load(args.model, setup(0, args.spec.threads))
    sequences = fitting(read_sequences(args.file, args.spec.sequence), about)
    first, count = [], 0
    with (
        replacing(args.table) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as opened,
    ):
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name, tokens, _ in sequences:
            found = explain(model, about, name, tokens)
            writer.writerows(rows(found))
            first += [found] if count < args.spec.drawn else []
            count += 1
    print(f"{count:,} sequences -> {args.table}")
    if first:
        # The same effects give the same bytes.
        with replacing(args.picture) as temporary, rc_context({"svg.hashsalt": "effects"}):
            draw(first).savefig(temporary, metadata={"Date": None} if ending == ".svg" else None)
        print(f"the first {len(first)} -> {args.picture}")


if __name__ == "__main__":
    settings.run(main)
