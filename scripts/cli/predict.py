"""`nn dna predict RUN x.fasta`: the class of every sequence of a file."""

import csv
import sys
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from cli.catalogue import fitting, only
from cli.tables import show_json
from dna.predict import scored
from dna.stored_model import load
from pipeline.atomic import replacing


def main(
    run: str, path: Path, name: str | None, out: Path | None, column: str | None, as_json: bool
) -> None:
    """Print a line of CSV for each sequence, or write them to `out`."""
    chosen = only(fitting(run, ["dna"], name))
    model, about = load(chosen.path)
    classes = about.classes
    print(f"{chosen.name}: {about.title}, {', '.join(classes)}", file=sys.stderr)
    found = tqdm(scored(model, about, path, column), unit=" sequences", leave=False, disable=None)
    if as_json:
        show_json(
            [
                {"id": identity, "prediction": classes[p.argmax()]}
                | {"p": dict(zip(classes, p.tolist(), strict=True))}
                for identity, p, _ in found
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
        for identity, p, _ in found:
            writer.writerow([identity, classes[p.argmax()], *(f"{value:.6f}" for value in p)])
