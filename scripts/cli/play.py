"""`nn play RUN`: one page in which the models of a run can be used."""

import os
import re
from pathlib import Path

from cli.catalogue import REFERENCE, models, results, run_folder
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.provenance import REPOSITORY
from play.build import Spec, page
from play.exhibits import ROOMS, Source, exhibits
from reporting.print_leaderboard import dataset_titles
from reporting.reference_models import OF


def sources(run: str) -> list[Source]:
    """The first model of each kind, seeds before folds, with the folder of its results.

    Trainings of a search or before the final one have folders of other names, and no part in it.
    """
    folder, found = run_folder(run), {}
    for model in models(run, ROOMS):
        kind, _, training = model.name.rpartition("/")
        if not re.fullmatch(r"(seed|fold)\d+", training):
            continue
        if kind.startswith("mlp/") or model.path.suffix == ".safetensors":  # no GPT of NumPy
            found.setdefault(kind, model)
    place = folder / OF if run == REFERENCE else folder
    return [Source(one.name, one.path, place / kind) for kind, one in found.items()]


def link(out: Path, folder: Path) -> str:
    """From the page to the report beside it, or else to that of the run; empty without one."""
    reports = (place / "report.html" for place in (out.parent, folder))
    found = next((report for report in reports if report.exists()), None)
    return Path(os.path.relpath(found, out.parent)).as_posix() if found else ""


def main(run: str, out: Path) -> None:
    """Write the page, and print its path. Raises InputError if it would have no exhibit."""
    titles = dataset_titles()
    spec = Spec(run=run, report=link(out, run_folder(run)), titles=titles)
    found = exhibits(sources(run), results().parent / spec.processed, spec.titles)
    if not found:
        raise InputError(f"run {run}: no trained model is in it that a page can compute")
    # .js, .css and .j2, as report.smk takes them: no leftovers of an editor.
    files = sorted((REPOSITORY / "scripts" / "play" / "page").glob("[!.]*[s2]"))
    write_text(out, page(spec, found, files) + "\n")
    print(out)
