"""What the workflow itself costs: planning, a run with nothing to do, the overhead of a run.

    python benchmarks/dag_cost.py --out dag_cost.csv --preset standard          (or: make bench-dag)

- `plan 10,000 CV jobs`: a dry run over such a grid in an empty folder. At most 60 s and 2 GB.
- `dry run`: the DAG of a preset in an empty folder, every job of it to do. At most 4 s.
- `no-op make run`: the whole command on the finished run of the preset in this folder, which ends
  with the leaderboard as a table. At most 5 s.
- `overhead`: the wall time of the invocation that made that run, less the critical packing: the
  jobs' own times (their benchmark files), packed on the same cores in the order that the DAG
  allows, the longest way to the end first. As a share of the wall time, at most 5 %. Left out if
  the run was made by more than one invocation.

The last two need a finished run of the preset. --kept OLD.csv takes what was left out from an
earlier table; each row has the commit at which it was measured.

Each command is a child process; its CPU time and peak memory are the kernel's (wait4), including
those of its children. Planning is one busy thread: its CPU seconds, the wall time of an idle
machine, are compared with the limits, so that other programs on this machine do not matter.
"""

import argparse
import csv
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "benchmarks")]

from packing import overhead  # noqa: E402

from pipeline.atomic import write_csv  # noqa: E402
from pipeline.provenance import provenance  # noqa: E402

COLUMNS = (
    "what", "jobs", "seconds", "cpu_seconds", "peak_mb", "share", "limit", "within", "cores",
    "commit", "processor", "snakemake",
)  # fmt: skip
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def measured(command: list[str | Path], folder: Path) -> tuple[dict, str]:
    """(wall and CPU seconds, peak MB; what it printed) of `command` in `folder`.

    Raises RuntimeError with the end of what it printed if it fails.
    """
    with tempfile.TemporaryFile() as printed:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=printed)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read().decode()
    if child.returncode:
        raise RuntimeError(f"{shlex.join(map(str, command))}: {text[-2000:]}")
    cost = {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        # Linux counts in KiB.
        "peak_mb": round(usage.ru_maxrss / 1024),
    }
    return cost, text


def planned_jobs(text: str) -> int:
    """The number of jobs in the table that Snakemake prints, 0 if there is nothing to do."""
    totals = [line.split() for line in text.splitlines() if line.startswith("total ")]
    return int(totals[0][1]) if totals else 0


def plan(change: dict, preset: str) -> dict:
    """The cost of a dry run of `preset`, changed, in an empty folder, and its number of jobs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config").symlink_to(ROOT / "config")
        (folder / "change.yaml").write_text(yaml.safe_dump(change))
        command = [SNAKEMAKE, "-s", str(ROOT / "Snakefile"), "--directory", name, "--configfile",
                 f"config/{preset}.yaml", "change.yaml", "--cores", "2", "--dry-run",
                 "--quiet", "rules"]  # fmt: skip
        cost, text = measured(command, folder)
    return {"jobs": planned_jobs(text), **cost}


def large_grid(jobs: int) -> dict:
    """A change of the configuration that gives `jobs` cross-validation jobs, two folds each."""
    values = [round(0.001 + 0.001 * step, 6) for step in range(jobs // 20)]
    grid = {"lr": values, "batch_size": [16, 32], "dropout": [0.0, 0.1, 0.2, 0.3, 0.4]}
    return {"run": "dag-cost", "mlp": {"grid": grid, "cv": {"folds": 2}}}


def kept_rows(path: Path, measured: list[dict], preset: str) -> list[dict]:
    """The rows of an earlier table about a finished run of `preset` that were not measured now.

    The no-op belongs to the run whose overhead is in the same table: none of another preset.
    """
    with path.open(newline="", encoding="utf-8") as opened:
        rows = {row["what"]: row for row in csv.DictReader(opened)}
    overhead_row, known = f"overhead of {preset}", {row["what"] for row in measured}
    about = ("no-op make run", overhead_row) if overhead_row in rows else ()
    return [rows[what] for what in about if what in rows and what not in known]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="table to write")
    parser.add_argument("--preset", default="demo", help="demo, smoke, standard or full")
    parser.add_argument("--jobs", type=int, default=10_000, help="CV jobs of the large grid")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores of the run")
    parser.add_argument("--kept", type=Path, help="an earlier table")
    args = parser.parse_args()
    files = {"standard": "config"}
    preset = files.get(args.preset, args.preset)
    found = provenance(threads=1, packages=("snakemake",))
    same = {key: found[key] for key in ("commit", "processor")}
    same |= {"cores": args.cores, "snakemake": found["versions"]["snakemake"]}
    rows = []

    def add(what: str, good: bool, limit: str, **values: object) -> None:
        rows.append({"what": what, "limit": limit, "within": good, **values, **same})
        shown = ", ".join(f"{key} {value}" for key, value in values.items())
        print(f"{what}: {shown}; limit {limit}: {'kept' if good else 'BROKEN'}", flush=True)

    cost = plan(large_grid(args.jobs), "demo")
    good = cost["cpu_seconds"] <= 60 and cost["peak_mb"] <= 2000 and cost["jobs"] > args.jobs
    add(f"plan {args.jobs:,} CV jobs", good, "60 s, 2 GB", **cost)
    for name in dict.fromkeys((args.preset, "full")):
        cost = plan({}, files.get(name, name))
        add(f"dry run of {name}", cost["cpu_seconds"] <= 4, "4 s", **cost)
    words = [f"PRESET={args.preset}", f"CORES={args.cores}"]
    if planned_jobs(measured(["make", "why", *words], ROOT)[1]):
        print(f"{args.preset} is not finished here: no-op run and overhead are left out")
    else:
        cost, _ = measured(["make", "run", *words], ROOT)
        add("no-op make run", cost["cpu_seconds"] <= 5, "5 s", jobs=0, **cost)
        run = yaml.safe_load((ROOT / "config" / f"{preset}.yaml").read_text())["run"]
        found = overhead(ROOT, f"results/{run}", args.cores)
        if found:
            wall, packed, jobs = found
            lost = {"seconds": round(wall - packed, 2), "share": round(1 - packed / wall, 4)}
            add(f"overhead of {run}", lost["share"] <= 0.05, "5 %", jobs=jobs, **lost)
        else:
            print(f"results/{run} was made by more than one invocation: its overhead is left out")
    if args.kept and args.kept.exists():
        rows += kept_rows(args.kept, rows, args.preset)
    write_csv(args.out, rows, COLUMNS)


if __name__ == "__main__":
    main()
