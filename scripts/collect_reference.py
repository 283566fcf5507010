"""Copy what a finished run found into a small folder that is committed: results/reference.

Copied are the leaderboard, the report, the figures, and each room's metrics, histories, selection,
samples and submission files; no weights, predictions or arrays. A README.md beside them names the
run and shows its results, read from the leaderboard; jobs.csv has the time of every rule, and
mlp_step.csv, if `make bench-mlp` was run, that of a training step beside the peers; dag_cost.csv,
if `make bench-dag` was run, what the workflow itself costs.
"""

import argparse
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
LIMIT = 15_000_000  # Bytes: the folder goes into the repository.


def wanted(run: Path) -> list[Path]:
    """The files of `run` that are copied, relative to it, sorted; nothing hidden, no logs."""
    found = {path.relative_to(run) for pattern in PATTERNS for path in run.glob(pattern)}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--out", type=Path, required=True, help="folder to fill anew")
    for name, file in {"speed": "mlp_step.csv", "dag": "dag_cost.csv"}.items():
        default = Path("results/benchmarks") / file
        parser.add_argument(f"--{name}", type=Path, default=default, help=f"{file}, if it exists")
    parser.add_argument("--references", type=Path, default=Path("config/references.yaml"))
    args = parser.parse_args()
    for name in ("leaderboard.csv", "report.html"):
        if not (args.run / name).exists():
            raise InputError(f"{args.run}: no {name} in it: finish the run first (make run)")
    names = wanted(args.run)
    size = sum((args.run / name).stat().st_size for name in names)
    if size > LIMIT:
        raise InputError(f"{args.run}: {size:,} bytes to copy, expected at most {LIMIT:,}")
    rows = read_leaderboard(args.run / "leaderboard.csv")
    times = job_times(args.run / "benchmarks")
    if not times:
        raise InputError(f"{args.run}/benchmarks: no job times in it: was the run copied whole?")
    table = markdown_table(rows, *read_references(args.references))
    timed = speed.markdown(speed.read(args.speed)) if args.speed.exists() else []
    costs = cost.markdown(cost.read(args.dag)) if args.dag.exists() else []
    # The folder's own old files go, so that nothing of an earlier run stays behind.
    if args.out.exists():
        shutil.rmtree(args.out)
    for name in names:
        (args.out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(args.run / name, args.out / name)
    if timed:
        shutil.copyfile(args.speed, args.out / "mlp_step.csv")
    if costs:
        shutil.copyfile(args.dag, args.out / "dag_cost.csv")
    ours = [row for row in rows if row["source"] == OURS]
    runs, commits = (sorted({row[key] for row in ours}) for key in ("run", "commit"))
    lines = [
        "# Reference results",
        "",
        f"What run `{', '.join(runs)}` of this repository gave, computed at commit"
        f" `{', '.join(commits)}`.",
        "`make reference` writes this folder; nothing in it is edited by hand. The whole page is",
        "[report.html](report.html), every row is in [leaderboard.csv](leaderboard.csv).",
        "",
        *table,
        *(["", "## A training step of Part 1", "", *timed] if timed else []),
        *(["", "## What the workflow itself costs", "", *costs] if costs else []),
        "",
        f"The run's {sum(row['jobs'] for row in times)} jobs, one core each, took"
        f" {sum(row['seconds'] for row in times) / 60:.1f} minutes in all, the longest one"
        f" {max(row['longest_seconds'] for row in times) / 60:.1f} ([jobs.csv](jobs.csv)).",
    ]
    write_csv(args.out / "jobs.csv", times, COLUMNS)
    write_text(args.out / "README.md", "\n".join(lines) + "\n")
    print(f"{len(names)} files, {size / 1e6:.1f} MB -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
