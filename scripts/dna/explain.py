"""What mattered in each sequence: every nucleotide is replaced by the others, one at a time.

    python -m dna.explain model.safetensors new.fasta --table effects.csv --picture effects.svg

In-silico mutagenesis (Zhou and Troyanskaya 2015, Nature Methods 12). The effect of a letter is how
much the log-odds of the predicted class, ln p / (1 - p), fall when another letter takes its place:
above 0, the letter speaks for the class. Columns of the table: id, position (from 1), letter,
prediction, mean_effect (over the three others), strongest_effect and strongest_letter (the one
whose effect is furthest from 0). The picture has the first sequences, around the place that
mattered most: the height of a letter is its mean effect. Sequences are read one after another; each
takes 3 L readings of L letters.
"""

import csv
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from dna.predict import INPUTS, answers, fitting
from dna.sequence_files import read_sequences
from dna.sequences import LETTERS, UNKNOWN
from dna.settings import ExplainSpec, Stored
from dna.stored_model import load
from pipeline import settings
from pipeline.atomic import replacing
from pipeline.errors import InputError
from pipeline.torch_setup import setup
from torch_nn.dna_classifier import DNAClassifier

OUTPUTS = {"table": "effects.csv: a row for each letter", "picture": "effects.svg, .png or .pdf"}
COLUMNS = (
    "id", "position", "letter", "prediction", "mean_effect", "strongest_effect", "strongest_letter",
)  # fmt: skip
WINDOW = 80  # letters of a sequence in the picture
# Okabe and Ito's colours, safe for colour-blind eyes.
COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00", "N": "#8C8C8C"}
GREY = COLOURS["N"]


class Explained(NamedTuple):
    """A sequence, its class and probability, and the effects (L, 3) of other letters (L, 3)."""

    id: str
    tokens: np.ndarray
    prediction: str
    probability: float
    others: np.ndarray
    effects: np.ndarray


def _log_odds(p: np.ndarray) -> np.ndarray:
    p = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def explain(model: DNAClassifier, about: Stored, name: str, tokens: np.ndarray) -> Explained:
    """The effects of all single changes of tokens uint8 (L,); of unknown letters they are 0."""
    length = len(tokens)
    others = (tokens[:, None] + np.arange(1, 4)) % 4  # (L, 3)
    variants = np.tile(tokens, (length, 3, 1))  # (L, 3, L)
    place = np.arange(length)
    variants[place, :, place] = others
    readings = [tokens, *variants.reshape(-1, length)]
    p = answers(model, readings, about.both_strands)  # (1 + 3 L, K)
    answer = int(p[0].argmax())
    odds = _log_odds(p[:, answer])
    effects = (odds[0] - odds[1:]).reshape(length, 3)
    effects[tokens >= UNKNOWN] = 0
    return Explained(name, tokens, about.classes[answer], float(p[0, answer]), others, effects)


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
