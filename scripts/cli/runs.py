"""`nn runs`: what is below results/."""

from cli.catalogue import models, results, run_folder, run_names
from cli.tables import show, show_json
from pipeline.errors import InputError
from pipeline.read_json import read_json
from reporting.terminal import Column, Group

COLUMNS = [Column("finished", 0, "left"), Column("commit", 2, "left"), Column("models", 1)]


def describe(run: str) -> dict:
    """A run: its name, when it finished at which commit (None: not yet), the models in it."""
    path = run_folder(run) / "manifest.json"
    manifest = read_json(path, []) if path.exists() else {}
    # A reference keeps rooms of several runs: the latest speaks for it.
    last = max(manifest.get("runs", [manifest]), key=lambda one: one.get("finished", ""))
    return {
        "run": run,
        "finished": last.get("finished"),
        "commit": last.get("code", {}).get("commit"),
        "models": [model.name for model in models(run)],
    }


def main(as_json: bool) -> None:
    """Print them. Raises InputError if there is none."""
    found = [describe(run) for run in run_names()]
    if as_json:
        show_json(found)
        return
    if not found:
        raise InputError(f"{results()}: no run is there yet: make run")
    lines = []
    for one in found:
        finished = one["finished"][:10] if one["finished"] else "not finished"
        lines.append(
            (one["run"], (finished, (one["commit"] or "")[:7], str(len(one["models"]))), "")
        )
    show([Group(f"Runs in {results()}", lines)], COLUMNS)
