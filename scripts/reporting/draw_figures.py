"""Draw what only arrays can tell: attention, positions, confusion matrices, the worst errors.

Each figure is an SVG file of several panels, which the report shows one by one. All other charts
are drawn by the report itself, from the tables and JSON files that it reads.
"""

import csv
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import Field

from dna.sequences import LETTERS
from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.read_json import read_json
from pipeline.settings import Settings
from reporting import charts
from reporting.settings import Colour

FINEST = 128  # Rows and columns of a table of positions that are drawn, at most.
SHOWN = (0.0, 0.15, 0.3, 0.5)  # Columns of it that are drawn as curves, as shares of its width.
LINE, LONGEST = 50, 150  # Letters of a sequence in a line, and in all.


class Figure(Settings):
    kind: str = Field(description="attention, positions, confusion, errors or study")
    name: str = Field(description="of its file")
    title: str = Field("", description="what it is of")
    files: int = Field(1, ge=1, description="how many of --files it is made of")


class Spec(Settings):
    figures: list[Figure] = Field([], description="the figures, in the order of their files")
    examples: int = Field(12, ge=1, description="errors shown of each model, at most")
    ours: Colour = Field("#0072B2", description="colour of this run's results")
    published: Colour = Field("#D55E00", description="colour of published results, and of errors")


INPUTS = {
    "files*": "attention.npz, positions.npz, or predictions.csv with the meta.json of its data set"
    " and, for errors, its arrays; or study.npz of a net, then of those beside it",
}
OUTPUTS = {"figures": "folder of the figures, <kind>/<name>"}


def attention(files: list[Path], title: str, _: Spec) -> list[str]:
    """A heat map per layer and head, those with the sharpest attention first.

    files: an attention.npz: weights (layers, H, Tq, Tk), each row of which sums to one,
    query_tokens (Tq,), key_tokens (Tk,), layer_names (layers,), title.
    """
    names = ("weights", "query_tokens", "key_tokens", "layer_names", "title")
    stored = read_npz(files[0], names)
    weights, told = stored["weights"], titled(title, str(stored["title"]))
    queries, keys = (
        [str(token).replace("\n", "⏎").replace(" ", "␣") for token in stored[name]]
        for name in ("query_tokens", "key_tokens")
    )
    layers = [str(name) for name in stored["layer_names"]]
    sharp = weights.max(axis=-1).mean(axis=-1)  # (layers, H)
    found = []
    for place in sorted(np.ndindex(sharp.shape), key=lambda place: -sharp[place]):
        head = f"{layers[place[0]]}, head {place[1] + 1}"
        map_of = (weights[place], f"{told}: {head}", head, queries, keys)
        found.append(charts.heat(*map_of, top=float(weights.max())))
    return found


def positions(files: list[Path], title: str, _: Spec) -> list[str]:
    """Three panels per table (T, D) of a positions.npz: itself, some columns, all cosines."""
    found = []
    for name, table in read_npz(files[0]).items():
        length, width = table.shape
        told = f"{title}, {name}"
        rows, columns = (-(-size // FINEST) for size in table.shape)
        unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
        chosen = dict.fromkeys(int(share * (width - 1)) // 2 * 2 for share in SHOWN)
        curves = [
            charts.Series(f"dimension {at}", list(enumerate(map(float, table[:, at]))), style)
            for style, at in enumerate(chosen)
        ]
        head = f"{name}: {length} positions × {width} dimensions"
        found += [
            charts.heat(table[::rows, ::columns], f"{told}: the table", head),
            charts.lines(curves, f"{told}: some columns", "position", "value", "Some columns"),
            charts.heat(
                (unit @ unit.T)[::rows, ::rows],
                f"{told}: cosines",
                "Cosine of two positions",
                top=1.0,
                width=240,
            ),
        ]
    return found


class Predictions:
    """A predictions.csv: label, prediction (N,) int64; id (N,) texts; p (N,) of what was said.

    p is None if the model gave no probabilities. names: the classes, by meta.json or numbers; a
    meta.json with `labels` says by what words the file calls them.
    Raises InputError for a file without rows or with something else in them.
    """

    def __init__(self, path: Path, meta: Path):
        about = read_json(meta, [])
        words = about.get("labels") or []
        number = {word: k for k, word in enumerate(words)}.__getitem__ if words else int
        try:
            with path.open(newline="", encoding="utf-8") as opened:
                rows = list(csv.DictReader(opened))
            self.label, self.prediction = (
                np.array([number(row[name]) for row in rows], np.int64)
                for name in ("label", "prediction")
            )
            self.id = np.array([row["id"] for row in rows])
            if not rows or min(self.label.min(), self.prediction.min()) < 0:
                raise ValueError(f"{len(rows)} rows, or a class below 0")
            given = [name for name in rows[0] if name.startswith("p_")]
            sure = [float(row[f"p_{row['prediction']}"]) for row in rows if given]
        except (ValueError, KeyError, TypeError, OverflowError, csv.Error) as error:
            kind = "these classes" if words else "whole numbers"
            wanted = f"rows of {kind} in the columns label and prediction, each with an id"
            found = " ".join(str(error).split())
            raise InputError(
                f"{path}: expected {wanted}, found: {found}. Evaluate again."
            ) from None
        self.p = np.array(sure) if given else None
        classes = max(len(given), self.label.max() + 1, self.prediction.max() + 1)
        names = about.get("classes") or []
        self.names = [str(name) for name in (names if len(names) == classes else range(classes))]

    def errors(self) -> np.ndarray:
        """Places of the wrong ones, the most confident first."""
        wrong = np.flatnonzero(self.label != self.prediction)
        return wrong if self.p is None else wrong[np.argsort(-self.p[wrong], kind="stable")]


def confusion_counts(label: np.ndarray, prediction: np.ndarray, classes: int) -> np.ndarray:
    """counts (K, K) int64: counts[i, j] examples of class i were predicted as class j."""
    return np.bincount(label * classes + prediction, minlength=classes**2).reshape(classes, -1)


def confusion(files: list[Path], title: str, _: Spec) -> list[str]:
    """files: predictions.csv and the meta.json of its data set."""
    found = Predictions(*files)
    counts = confusion_counts(found.label, found.prediction, len(found.names))
    head = f"{np.trace(counts):,} of {counts.sum():,} test examples right"
    return [charts.matrix(counts, found.names, f"{title}: confusion matrix", head)]


def errors(files: list[Path], title: str, spec: Spec) -> list[str]:
    """files: predictions.csv, meta.json and the arrays of its data set, images or sequences.

    A panel per wrong test example, the most confident first; one that says so if there is none.
    """
    *tables, arrays = files
    found = Predictions(*tables)
    drawn = []
    stored = read_npz(arrays, ["test_x"] if arrays.stem == "images" else ["test_x", "test_id"])
    most = spec.examples if arrays.stem == "images" else -(-spec.examples // 2)  # They are wider.
    for place in found.errors()[:most]:
        said, true = (found.names[of[place]] for of in (found.prediction, found.label))
        sure = "" if found.p is None else f" with {found.p[place]:.1%}"
        told = f"said {said}{sure}, is {true}"
        label = f"{title}, test example {found.id[place]}: {told}"
        if "test_id" not in stored:
            image = stored["test_x"][int(found.id[place])]
            drawn.append(charts.photo(image, said, true, told, label))
        else:
            tokens = stored["test_x"][stored["test_id"].astype(str) == found.id[place]][0]
            letters = "".join(LETTERS[token] for token in tokens if token < len(LETTERS))
            letters = letters if len(letters) <= LONGEST else letters[: LONGEST - 1] + "…"
            wrapped = [letters[at : at + LINE] for at in range(0, len(letters), LINE)]
            drawn.append(charts.strings([(told, wrapped)], label))
    none = ("Every test example is right.", [])
    return drawn or [charts.strings([none], f"{title}: no errors")]


def study(files: list[Path], title: str, _: Spec) -> list[str]:
    """Three panels: accuracy by training compute, accuracy on shifted images, the first filters.

    files: the study.npz of a net, then of those beside it: model, curve (n, 2) of training FLOPs
    and accuracy, shifted (S,), the test accuracy at shifts of 0, 1, ... pixels, and filters
    uint8 (F, h, w, 3).
    """
    found = [read_npz(path, ("model", "curve", "shifted", "filters")) for path in files]
    curves, shifts = [], []
    for style, one in enumerate(found):
        name = str(one["model"])
        curves.append(charts.Series(name, one["curve"].tolist(), style, faint=style > 0))
        at = enumerate(one["shifted"].tolist())
        shifts.append(charts.Series(name, list(at), style, faint=style > 0))
    return [
        charts.lines(
            curves,
            f"{title}: accuracy by training compute",
            "training FLOPs",
            "training accuracy",
            "Accuracy by training compute",
            log_x=True,
            write=lambda value: f"{value:.0e}",
        ),
        charts.lines(
            shifts,
            f"{title}: accuracy on shifted images",
            "pixels of shift",
            "test accuracy",
            "Accuracy on shifted test images",
        ),
        charts.mosaic(found[0]["filters"], f"{title}: first filters", "Filters of the first layer"),
    ]


KINDS: dict[str, Callable[[list[Path], str, Spec], list[str]]] = {
    "attention": attention,
    "positions": positions,
    "confusion": confusion,
    "errors": errors,
    "study": study,
}


def titled(title: str, own: str) -> str:
    """The data set's `title` and the one that a file holds, neither said twice."""
    base = title.removesuffix(" (stand-in)")
    return own + title.removeprefix(base) if base in own else f"{title}: {own}"


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    spec, files = args.spec, iter(args.files)
    wanted = sum(figure.files for figure in spec.figures)
    if wanted != len(args.files):
        raise InputError(f"--files: expected {wanted} for the figures, found {len(args.files)}")
    for figure in spec.figures:
        panels = KINDS[figure.kind](list(islice(files, figure.files)), figure.title, spec)
        columns = 6 if figure.kind == "errors" else 3
        text = charts.sheet(panels, columns, spec.ours, spec.published)
        write_text(args.figures / figure.kind / figure.name, text)
    print(f"{len(spec.figures)} figures -> {args.figures}")


if __name__ == "__main__":
    settings.run(main)
