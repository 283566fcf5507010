"""Make the page of results/reference of what is kept there: `make readme`.

    python workflow/lib/build_reference.py [--out results/reference] [--check]

leaderboard.csv joins the rows of all runs and the published results of today; of it come
accuracy_by_split.csv, report.html and README.md, by the templates
of today, in seconds. With --check nothing is written: it ends with status 1 if a file is not what
would be written.
"""

import argparse
import csv
import tempfile
from collections.abc import Mapping
from pathlib import Path

import check_yaml
import report_figures
from configuration import ROOMS, load_table

from manifest.stable import stable_sha256
from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_text
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from pipeline.provenance import REPOSITORY
from pipeline.results import COLUMNS
from raw.table import Table
from reporting import build_report, reference, splits
from reporting.leaderboard import build, published_rows, read_references
from reporting.settings import Section
from reporting.tables import COMMANDS, markdown, markdown_table, render

# Files of a room -> the list of the report that they are in.
HANDED = {
    "metrics.json": "metrics",
    "history.json": "histories",
    "predictions.csv": "predictions",
    "selection.json": "selections",
    "ranking.json": "searches",
    "samples.json": "samples",
    "attention.npz": "attention",
    "positions.npz": "positions",
    "examples.npz": "images",
    "study.npz": "studies",
    "twins.json": "twins",
    "baselines.json": "metrics",
    "choice.json": "choices",
    "curves.json": "curves",
    "motifs.json": "motifs",
}
RECORDS = ("metrics", "histories", "selections", "searches", "samples", "twins")
RECORDS += ("choices", "curves", "motifs")


def handed(manifest: Mapping, run: str, room: str) -> dict[str, list[str]]:
    """What a room of a run handed to the report, by kind; not all of it is kept here."""
    found: dict[str, list[str]] = {kind: [] for kind in HANDED.values()}
    for entry in manifest["outputs"]:
        path = Path(entry["path"])
        # The survivor of a race is a selection without candidates.
        if path.parts[:2] == (run, room) and path.name in HANDED and path.parent.name != "search":
            found[HANDED[path.name]].append(entry["path"])
    return found


def sections(folder: Path, manifest: Mapping, rows: list[dict], table: Mapping) -> tuple:
    """(section -> data sets, [section, path] of the records, [figure, path]) of the report.

    A section is a room of a run, such as mlp@ensemble.
    """
    datasets, records, figures = {}, [], []
    for run in dict.fromkeys(record["run"] for record in manifest["runs"]):
        there = reference.finished(manifest, run)
        for room in (room for room in ROOMS if room in there):
            files = handed(manifest, run, room)
            name, metrics = f"{room}@{run}", [folder / path for path in files["metrics"]]
            told = {row["dataset"] for path in metrics for row in reference.read_metrics(path)}
            datasets[name] = [
                row for row in dict.fromkeys(r["dataset"] for r in rows) if row in told
            ]
            records += [(name, path) for kind in RECORDS for path in files[kind]]
            for figure in report_figures.plan(files, run, {room: datasets[name]}, table):
                path = folder / run / "figures" / figure.kind / figure.name
                if path.exists():
                    figures.append((report_figures.told(figure) | {"room": name}, path))
    return datasets, records, figures


def job_times(path: Path) -> list[dict]:
    """The rows of jobs.csv: run, room and rule, the rest numbers."""
    texts = ("run", "room", "rule")
    with path.open(newline="", encoding="utf-8") as opened:
        return [
            {name: text if name in texts else float(text) for name, text in row.items()}
            for row in csv.DictReader(opened)
        ]


def make(folder: Path, out: Path) -> None:
    """Write the page of what `folder` keeps into `out`."""
    config, _ = check_yaml.read(REPOSITORY / "config" / "config.yaml")
    look = Section.model_validate(config["report"])
    table = load_table(REPOSITORY / "config" / "datasets.yaml", Table)
    published = read_references(REPOSITORY / "config" / "references.yaml")
    manifest = reference.read(folder)
    ours = reference.rows(folder, manifest)
    if not ours:
        raise InputError(
            f"{folder}: no results are kept here: `make reference` takes those of a run"
        )
    rows = build(ours, published_rows(*published, {row["dataset"] for row in ours}))
    write_csv(out / "leaderboard.csv", rows, COLUMNS)
    write_csv(
        out / "accuracy_by_split.csv", map(splits.record, splits.classifiers(rows)), splits.COLUMNS
    )
    datasets, records, figures = sections(folder, manifest, rows, table)
    spec = build_report.Spec(
        run=", ".join(dict.fromkeys(record["run"] for record in manifest["runs"])),
        rooms=datasets,
        datasets=report_figures.about(list(dict.fromkeys(r["dataset"] for r in rows)), table),
        figures=[figure for figure, _ in figures],
        records=[
            {"room": section, "folder": str(Path(*Path(path).parts[1:-1]))}
            for section, path in records
        ],
        presets=report_figures.presets(REPOSITORY),
        peaks=report_figures.peaks(folder),
        samples=look.samples,
        rows=look.rows,
        ours=look.colours.ours,
        published=look.colours.published,
    )
    template = REPOSITORY / "workflow" / "report" / "report.html.j2"
    paths = [folder / path for _, path in records], [path for _, path in figures]
    text = build_report.page(spec, rows, published, template, *paths)
    write_text(out / "report.html", text + "\n")
    text = render(
        "reference",
        runs=manifest["runs"],
        table="\n".join(markdown_table(rows, *published)),
        **{name: markdown(name, folder) for name in COMMANDS},
        times=job_times(folder / "jobs.csv"),
    )
    write_text(out / "README.md", text + "\n")
    write_json(out / "manifest.json", manifest | {"outputs": recorded(manifest, out)})


def recorded(manifest: Mapping, out: Path) -> list[dict]:
    """The manifest's outputs: those of the runs, and the page in `out`."""
    runs = {record["run"] for record in manifest["runs"]}
    kept = [entry for entry in manifest["outputs"] if entry["path"].split("/")[0] in runs]
    paths = [out / "leaderboard.csv", out / "accuracy_by_split.csv", out / "report.html"]
    made = [
        {
            "path": path.relative_to(out).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
            "stable_sha256": stable_sha256(path),
            "rule": None,
        }
        for path in paths
    ]
    return sorted([*kept, *made], key=lambda entry: entry["path"])


def stale(folder: Path, fresh: Path) -> list[str]:
    """The files of a page that are not, in `folder`, those of the page in `fresh`."""
    names = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    return sorted(
        str(name)
        for name in names
        if not ((folder / name).is_file() and (fresh / name).is_file())
        or (folder / name).read_bytes() != (fresh / name).read_bytes()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/reference"))
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        make(args.out, Path(made))
        old = stale(args.out, Path(made))
        if args.check and old:
            raise InputError(f"{args.out}: {', '.join(old)}: not of today: make readme")
        for name in old:
            write_text(args.out / name, (Path(made) / name).read_text(encoding="utf-8"))
    print(f"{args.out}: {len(old)} files written" if old else f"{args.out}: up to date")


if __name__ == "__main__":
    settings.run(main)
