"""Copy the small files of a finished run into a folder that is committed: results/reference*.

It copies the leaderboard, the report, the figures, and each room's metrics, histories, selections,
samples and submissions; no weights, predictions or arrays. A README.md beside them names the run
and shows its results; jobs.csv has the time of every rule. Two benchmarks join them if they were
run, unless --no-benchmarks is given: mlp_step.csv (make bench-mlp), a training step beside its
peers, and dag_cost.csv (make bench-dag), what the workflow itself costs. Without --run the folder
keeps its run, and only the benchmarks are copied (make keep-bench).
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
    """The files of `run` to copy, relative to it, sorted; nothing hidden, no logs.

    With a manifest, only what it lists: not what another configuration of the same name left.
    """
    found = {path.relative_to(run) for pattern in PATTERNS for path in run.glob(pattern)}
    if (manifest := run / "manifest.json").exists():
        outputs = json.loads(manifest.read_text(encoding="utf-8"))["outputs"]
        found &= {Path("manifest.json"), *(Path(entry["path"]) for entry in outputs)}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def take_run(run: Path, out: Path) -> None:
    """Fill `out` from a finished run; what was in it before is removed."""
    for name in ("leaderboard.csv", "report.html"):
        if not (run / name).exists():
            raise InputError(f"{run}: it has no {name}: finish the run first (make run)")
    read_leaderboard(run / "leaderboard.csv")
    names = wanted(run)
    size = sum((run / name).stat().st_size for name in names)
    if size > LIMIT:
        raise InputError(f"{run}: {size:,} bytes to copy, expected at most {LIMIT:,}")
    times = job_times(run / "benchmarks")
    if not times:
        raise InputError(f"{run}/benchmarks: no job times: was the whole run copied?")
    if out.exists():
        shutil.rmtree(out)
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / name, out / name)
    write_csv(out / "jobs.csv", times, COLUMNS)
    print(f"{len(names)} files, {size / 1e6:.1f} MB -> {out}")


def rebuilt(manifest: Path) -> list[str]:
    """What the manifest says about files that were rebuilt later, as a paragraph."""
    if not manifest.exists():
        return []
    entry = json.loads(manifest.read_text(encoding="utf-8")).get("rebuilt")
    return ["", f"{entry['note']} [manifest.json](manifest.json) lists the files."] if entry else []


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
    also = (
        f" This does not include {kept} trainings of a search, kept from an earlier run."
        if kept
        else ""
    )
    ours = [row for row in rows if row["source"] == OURS]
    runs, commits = (sorted({row[key] for row in ours}) for key in ("run", "commit"))
    return [
        "# Reference results",
        "",
        f"The results of run `{', '.join(runs)}` of this repository, computed at commit"
        f" `{', '.join(commits)}`.",
        "`make reference` writes this folder; nothing in it is edited by hand. The report is",
        "[report.html](report.html), every row is in [leaderboard.csv](leaderboard.csv).",
        *rebuilt(out / "manifest.json"),
        "",
        *table,
        *(["", "## A training step of Part 1", "", *speed_table] if speed_table else []),
        *(["", "## What the workflow itself costs", "", *cost_table] if cost_table else []),
        "",
        f"The run's {sum(int(row['jobs']) for row in times)} jobs, one core each, took"
        f" {sum(float(row['seconds']) for row in times) / 60:.1f} minutes in all, the longest one"
        f" {max(float(row['longest_seconds']) for row in times) / 60:.1f} ([jobs.csv](jobs.csv))."
        " A resumed training counts only since then; its history.json has the total."
        f"{also}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--run", type=Path, help="folder of a finished run; none: the one in --out stays"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to fill")
    for name, file in {"speed": SPEED, "dag": COST}.items():
        default = Path("results/benchmarks") / file
        parser.add_argument(f"--{name}", type=Path, default=default, help=f"{file}, if it exists")
    parser.add_argument("--no-benchmarks", action="store_true", help="copy neither of the two")
    parser.add_argument("--references", type=Path, default=Path("config/references.yaml"))
    args = parser.parse_args()
    benchmarks = [(args.speed, SPEED, speed), (args.dag, COST, cost)]
    benchmarks = [taken for taken in benchmarks if not args.no_benchmarks and taken[0].exists()]
    # Read before anything is removed: a damaged file leaves the folder untouched.
    read_references(args.references)
    for path, _, table in benchmarks:
        table.markdown(table.read(path))
    if args.run:
        take_run(args.run, args.out)
    elif not (args.out / "leaderboard.csv").exists():
        raise InputError(f"{args.out}: it has no leaderboard.csv: name a finished run with --run")
    for path, name, _ in benchmarks:
        shutil.copyfile(path, args.out / name)
    write_text(args.out / "README.md", "\n".join(page(args.out, args.references)) + "\n")


if __name__ == "__main__":
    settings.run(main)
