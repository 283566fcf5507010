"""The runs below results/ and the trained models in them, found by name.

A run is a folder of results/; a model is the folder of its weights in it: gpt/tinystories/seed1.
The models that the repository keeps are those of the run `reference`.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open

from pipeline.errors import InputError
from pipeline.provenance import REPOSITORY
from pipeline.settings import nearest

ROOMS = ("mlp", "vision", "gpt", "dna", "seq2seq")
WEIGHTS = ("model.safetensors", "model.npz")  # of PyTorch, of NumPy
REFERENCE = "reference"


class Model(NamedTuple):
    """A trained model. name: mlp/plain/seed1, or the file itself where a person names one."""

    name: str
    path: Path


def results() -> Path:
    """The folder of all runs: here, or else that of the repository."""
    here = Path("results")
    return here if here.is_dir() else REPOSITORY / "results"


def run_names() -> list[str]:
    """Every folder of results/ that holds a leaderboard, a room or models."""
    signs = ("leaderboard.csv", "models", *ROOMS)
    folders = sorted(results().glob("*/"))
    return [folder.name for folder in folders if any((folder / sign).exists() for sign in signs)]


def run_folder(run: str) -> Path:
    """The folder of a run. Raises InputError, with the nearest name, if there is none."""
    if run not in (known := run_names()):
        hint = nearest(run, known) if known else "none is there yet: make run"
        raise InputError(f"no run {run!r} in {results()}: {hint}")
    return results() / run


def models(run: str, rooms: Iterable[str] = ROOMS) -> list[Model]:
    """The trained models of a run's rooms, in the order of the rooms, then by name."""
    folder = run_folder(run)
    base = folder / "models" if run == REFERENCE else folder
    found = []
    for room in rooms:
        paths = [path for name in WEIGHTS for path in (base / room).rglob(name)]
        found += [
            Model(path.parent.relative_to(base).as_posix(), path)
            for path in sorted(paths, key=_order)
        ]
    return found


def _order(path: Path) -> tuple:
    """By kind; of a kind seeds before folds, which saw less, and seed9 before seed10."""
    folder = path.parent
    return folder.parent, not folder.name.startswith("seed"), len(folder.name), folder.name


def fitting(run: str, rooms: Sequence[str], name: str | None, suffix: str = "") -> list[Model]:
    """The models of these rooms that `name` may mean, at least one.

    run: of a run, or the path of a file of weights, which is then the only one. name: some of a
    model's folders, one after another: tinystories, or tinystories/seed1; None: any. suffix: of
    the weights. Raises InputError, with the nearest name, if there is none.
    """
    if Path(run).is_file():
        return [Model(run, Path(run))]
    if run.endswith((".safetensors", ".npz")):
        raise InputError(f"no such file: {run}")
    there = [model for model in models(run, rooms) if model.path.name.endswith(suffix)]
    if not there:
        raise InputError(f"run {run}: no trained model of {' or '.join(rooms)} is in it")
    found = [model for model in there if name is None or f"/{name}/" in f"/{model.name}/"]
    if not found:
        parts = [part for model in there for part in model.name.split("/")[1:]]
        known = [*(model.name for model in there), *dict.fromkeys(parts)]
        raise InputError(f"run {run}: no model {name!r}: {nearest(str(name), known)}")
    return found


def room_of(path: Path) -> str:
    """Whose model a file of weights is. Raises InputError if it does not say so."""
    if path.suffix == ".npz":
        return "mlp"
    try:
        with safe_open(path, "numpy") as opened:
            return json.loads((opened.metadata() or {})["about"])["room"]
    except (SafetensorError, OSError, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: expected weights that say of which model they are") from None


def only(found: Sequence[Model]) -> Model:
    """The first of models that differ in their seed alone. Raises InputError for others."""
    kinds = sorted({model.name.rpartition("/")[0] for model in found})
    if len(kinds) > 1:
        raise InputError(f"several models, choose one by --model: {', '.join(kinds)}")
    return found[0]
