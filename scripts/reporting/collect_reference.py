"""Copy the small files of a finished run into a folder that is committed: results/reference*.

It copies the leaderboard, report, figures, and each room's metrics, histories, selections, samples
and submissions. A README.md beside them shows the results; jobs.csv has the time of every rule. The
CSVs of benchmarks/ join them if they were run, unless --no-benchmarks is given. Without --run the
folder keeps its run, and only they are copied (make keep-bench).
"""

import argparse
import json
import shutil
from pathlib import Path

import pandas as pd

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from reporting.leaderboard import OURS, read_leaderboard, read_references
from reporting.tables import BENCHMARKS, COMMANDS, markdown, markdown_table, render

PATTERNS = (
    "leaderboard.csv", "accuracy_by_split.csv", "report.html", "manifest.json", "figures/**/*.svg",
    "**/metrics.json", "**/history.json", "**/selection.json", "**/ranking.json",
    "**/samples.json", "**/submission.csv",
)  # fmt: skip
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


def job_times(run: Path) -> pd.DataFrame:
    """A row per rule, the costliest first: jobs, wall and CPU seconds, the longest's, memory.

    They are read from what Snakemake measured of each job's last execution,
    benchmarks/<rule>.tsv or benchmarks/<rule>/<job>.tsv. A job that found its result there and
    kept it (its log says so) is counted in `kept` alone: its seconds are not those of the training.
    """
    found = []
    for path in sorted((run / "benchmarks").rglob("*.tsv")):
        name = path.relative_to(run / "benchmarks")
        log = (run / "logs" / name).with_suffix(".log")
        kept = log.is_file() and log.read_text("utf-8", errors="replace").endswith(": kept\n")
        # Snakemake writes NA or - for a job that ended before it was first looked at.
        jobs = pd.read_csv(path, sep="\t", na_values="-").fillna(0.0)
        times = jobs[["s", "cpu_time", "max_rss"]].astype(float) * (not kept)
        found.append(times.assign(rule=name.parts[0].removesuffix(".tsv"), kept=kept))
    if not found:
        raise InputError(f"{run}/benchmarks: no job times: was the whole run copied?")
    rules = pd.concat(found).groupby("rule", sort=False)
    times = rules.agg(
        jobs=("kept", lambda kept: (~kept).sum()),
        seconds=("s", "sum"),
        cpu_seconds=("cpu_time", "sum"),
        longest_seconds=("s", "max"),
        max_rss_mb=("max_rss", lambda megabytes: round(megabytes.max())),
        kept=("kept", "sum"),
    )
    return times.sort_values("seconds", ascending=False, kind="stable").reset_index()


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
    times = job_times(run)
    if out.exists():
        shutil.rmtree(out)
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / name, out / name)
    times.to_csv(out / "jobs.csv", index=False, float_format="%.1f", lineterminator="\n")
    print(f"{len(names)} files, {size / 1e6:.1f} MB -> {out}")


def page(out: Path, references: Path) -> str:
    """The text of README.md, from what is in `out`."""
    rows = read_leaderboard(out / "leaderboard.csv")
    ours = [row for row in rows if row["source"] == OURS]
    manifest = out / "manifest.json"
    return render(
        "reference",
        runs=sorted({row["run"] for row in ours}),
        commits=sorted({row["commit"] for row in ours}),
        # What the manifest says about files that were rebuilt later.
        rebuilt=json.loads(manifest.read_text("utf-8")).get("rebuilt") if manifest.exists() else {},
        table="\n".join(markdown_table(rows, *read_references(references))),
        **{table: markdown(table, out) for table in COMMANDS},
        times=pd.read_csv(out / "jobs.csv"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--run", type=Path, help="folder of a finished run; none: the one in --out stays")
    add("--out", type=Path, required=True, help="folder to fill")
    add("--benchmarks", type=Path, default=Path("results/benchmarks"), help="their folder")
    add("--no-benchmarks", action="store_true", help="copy none of them")
    add("--references", type=Path, default=Path("config/references.yaml"))
    args = parser.parse_args()
    measured = [] if args.no_benchmarks else [args.benchmarks / name for name in BENCHMARKS]
    measured = [path for path in measured if path.exists()]
    # Read before anything is removed: a damaged file leaves the folder untouched.
    read_references(args.references)
    if measured:
        for table in COMMANDS:
            markdown(table, args.benchmarks)
    if args.run:
        take_run(args.run, args.out)
    elif not (args.out / "leaderboard.csv").exists():
        raise InputError(f"{args.out}: it has no leaderboard.csv: name a finished run with --run")
    for path in measured:
        shutil.copyfile(path, args.out / path.name)
    write_text(args.out / "README.md", page(args.out, args.references) + "\n")


if __name__ == "__main__":
    settings.run(main)
