"""Copy what a finished run found into a small folder that is committed: results/reference*.

Copied are the leaderboard, the report, the figures, and each room's metrics, histories, selection,
samples and submission files; no weights, predictions or arrays. A README.md beside them names the
run and shows its results, read from the leaderboard; jobs.csv has the time of every rule, and
mlp_step.csv, if `make bench-mlp` was run, that of a training step beside the peers; dag_cost.csv,
if `make bench-dag` was run, what the workflow itself costs: these not with --no-benchmarks. Without
--run the folder keeps its run and takes the benchmarks alone (make keep-bench).
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

from pipeline import settings
from pipeline.atomic import write_csv, write_text
from pipeline.errors import InputError
from reporting import cost, speed
from reporting.job_times import COLUMNS, job_times
from reporting.leaderboard import OURS, read_leaderboard, read_references
from reporting.summary import markdown_table

PATTERNS = (
    "leaderboard.csv",
    "accuracy_by_split.csv",
    "report.html",
    "manifest.json",
    "figures/**/*.svg",
    "**/metrics.json",
    "**/history.json",
    "**/selection.json",
    "**/ranking.json",
    "**/samples.json",
    "**/submission.csv",
)
SPEED, COST = "mlp_step.csv", "dag_cost.csv"
LIMIT = 15_000_000  # Bytes: the folder goes into the repository.


def wanted(run: Path) -> list[Path]:
    """The files of `run` that are copied, relative to it, sorted; nothing hidden, no logs.

    With a manifest only what it knows: not what another configuration of the same name left.
    """
    found = {path.relative_to(run) for pattern in PATTERNS for path in run.glob(pattern)}
    if (manifest := run / "manifest.json").exists():
        outputs = json.loads(manifest.read_text(encoding="utf-8"))["outputs"]
        found &= {Path("manifest.json"), *(Path(entry["path"]) for entry in outputs)}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def take_run(run: Path, out: Path) -> None:
    """Fill `out` anew from a finished run; its own old files go, so that none stays behind."""
    for name in ("leaderboard.csv", "report.html"):
        if not (run / name).exists():
            raise InputError(f"{run}: no {name} in it: finish the run first (make run)")
    read_leaderboard(run / "leaderboard.csv")
    names = wanted(run)
    size = sum((run / name).stat().st_size for name in names)
    if size > LIMIT:
        raise InputError(f"{run}: {size:,} bytes to copy, expected at most {LIMIT:,}")
    times = job_times(run / "benchmarks")
    if not times:
        raise InputError(f"{run}/benchmarks: no job times in it: was the run copied whole?")
    if out.exists():
        shutil.rmtree(out)
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / name, out / name)
    write_csv(out / "jobs.csv", times, COLUMNS)
    print(f"{len(names)} files, {size / 1e6:.1f} MB -> {out}")


def page(out: Path, references: Path) -> list[str]:
    """The lines of README.md, from what is in `out`."""
    rows = read_leaderboard(out / "leaderboard.csv")
    table = markdown_table(rows, *read_references(references))
    timed, costs = out / SPEED, out / COST
    speed_table = speed.markdown(speed.read(timed)) if timed.exists() else []
    cost_table = cost.markdown(cost.read(costs)) if costs.exists() else []
    with (out / "jobs.csv").open(newline="", encoding="utf-8") as opened:
        times = list(csv.DictReader(opened))
    kept = sum(int(row["kept"]) for row in times)
    also = f" Not in it: {kept} trainings of a search, kept from an earlier run." if kept else ""
    ours = [row for row in rows if row["source"] == OURS]
    runs, commits = (sorted({row[key] for row in ours}) for key in ("run", "commit"))
    return [
        "# Reference results",
        "",
        f"What run `{', '.join(runs)}` of this repository gave, computed at commit"
        f" `{', '.join(commits)}`.",
        "`make reference` writes this folder; nothing in it is edited by hand. The whole page is",
        "[report.html](report.html), every row is in [leaderboard.csv](leaderboard.csv).",
        "",
        *table,
        *(["", "## A training step of Part 1", "", *speed_table] if speed_table else []),
        *(["", "## What the workflow itself costs", "", *cost_table] if cost_table else []),
        "",
        f"The run's {sum(int(row['jobs']) for row in times)} jobs, one core each, took"
        f" {sum(float(row['seconds']) for row in times) / 60:.1f} minutes in all, the longest one"
        f" {max(float(row['longest_seconds']) for row in times) / 60:.1f} ([jobs.csv](jobs.csv))."
        " A training that was resumed counts there from then on; its history.json has all of it."
        f"{also}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--run", type=Path, help="folder of a finished run; none: that in --out stays"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to fill")
    for name, file in {"speed": SPEED, "dag": COST}.items():
        default = Path("results/benchmarks") / file
        parser.add_argument(f"--{name}", type=Path, default=default, help=f"{file}, if it exists")
    parser.add_argument("--no-benchmarks", action="store_true", help="take neither of the two")
    parser.add_argument("--references", type=Path, default=Path("config/references.yaml"))
    args = parser.parse_args()
    benchmarks = [(args.speed, SPEED, speed), (args.dag, COST, cost)]
    benchmarks = [taken for taken in benchmarks if not args.no_benchmarks and taken[0].exists()]
    # Read before anything is removed: what is damaged leaves the folder as it is.
    read_references(args.references)
    for path, _, table in benchmarks:
        table.markdown(table.read(path))
    if args.run:
        take_run(args.run, args.out)
    elif not (args.out / "leaderboard.csv").exists():
        raise InputError(f"{args.out}: no leaderboard.csv in it: name a finished run with --run")
    for path, name, _ in benchmarks:
        shutil.copyfile(path, args.out / name)
    write_text(args.out / "README.md", "\n".join(page(args.out, args.references)) + "\n")


if __name__ == "__main__":
    settings.run(main)
