"""`nn dna predict RUN x.fasta`: the class of every sequence of a file."""

import csv
import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cli.catalogue import fitting as fitting_models
from cli.catalogue import only
from cli.tables import show_json
from dna.predict import HELD, answers, fitting
from dna.sequence_files import read_sequences
from dna.settings import Stored
from dna.stored_model import load
from pipeline.atomic import replacing
from torch_nn.dna_classifier import DNAClassifier


def scores(
    model: DNAClassifier, about: Stored, path: Path, column: str | None
) -> Iterator[tuple[str, np.ndarray]]:
    """(id, probabilities (K,)) of each sequence of a file, HELD of them in memory."""
    rows = fitting(read_sequences(path, column), about)
    while held := list(itertools.islice(rows, HELD)):
        found = answers(model, [tokens for _, tokens, _ in held], about.both_strands)
        yield from zip((name for name, *_ in held), found, strict=True)


def main(
    run: str, path: Path, name: str | None, out: Path | None, column: str | None, as_json: bool
) -> None:
    """Print a line of CSV for each sequence, or write them to `out`."""
    chosen = only(fitting_models(run, ["dna"], name))
    model, about = load(chosen.path)
    classes = about.classes
    print(f"{chosen.name}: {about.title}, {', '.join(classes)}", file=sys.stderr)
    found = tqdm(scores(model, about, path, column), unit=" sequences", leave=False, disable=None)
    if as_json:
        show_json(
            [
                {"id": identity, "prediction": classes[p.argmax()]}
                | {"p": dict(zip(classes, p.tolist(), strict=True))}
                for identity, p in found
            ]
        )
        return
    with ExitStack() as stack:
        opened = sys.stdout
        if out:
            opened = stack.enter_context(
                stack.enter_context(replacing(out)).open("w", newline="", encoding="utf-8")
            )
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["id", "prediction", *(f"p_{name}" for name in classes)])
        for identity, p in found:
            writer.writerow([identity, classes[p.argmax()], *(f"{value:.6f}" for value in p)])
