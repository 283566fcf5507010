"""Copy what is new in finished runs to results/reference: room by room, the small files alone.

Of each run, the rooms that were finished later than what is kept of them replace it, with the
metrics, histories, selections, samples, submissions and figures of their models; what a room no
longer trains goes, and all else stays. Of the standard run, small models come too. jobs.csv has the
time of every rule. The CSVs of benchmarks/ join them if they were run; without a run only they are
copied (make keep-bench). The page is made of what is kept by `make readme`.
"""

import argparse
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from reporting import reference
from reporting.leaderboard import OURS, read_leaderboard
from reporting.reference_models import take_models
from reporting.tables import BENCHMARKS, COMMANDS, markdown

NAMES = (
    "metrics.json", "baselines.json", "history.json", "selection.json", "ranking.json",
    "samples.json", "submission.csv", "twins.json", "choice.json", "curves.json", "motifs.json",
)  # fmt: skip
LIMIT = 15_000_000  # Bytes of a room: the folder goes into the repository.


def room_of(outputs: Iterable[str], run: Path) -> str:
    """The room that made these files of a job; `data` and `report` are what rooms share."""
    parts = next(Path(path).parts for path in outputs)
    if parts[:2] != ("results", run.name):
        return "data"
    shared = len(parts) == 3 or parts[2] in ("figures", "notebooks")
    return "report" if shared else parts[2]


def job_times(run: Path, jobs: Iterable[dict]) -> pd.DataFrame:
    """A row per rule, the costliest first: room, jobs, wall and CPU seconds, the longest's, memory.

    They are read from what Snakemake measured of each job's last execution,
    benchmarks/<rule>.tsv or benchmarks/<rule>/<job>.tsv. A job that found its result there and
    kept it (its log says so) is counted in `kept` alone: its seconds are not those of the training.
    jobs: those of the manifest.
    """
    rooms = {job["rule"]: room_of(job["outputs"], run) for job in jobs}
    found = []
    for path in sorted((run / "benchmarks").rglob("*.tsv")):
        name = path.relative_to(run / "benchmarks")
        log = (run / "logs" / name).with_suffix(".log")
        kept = log.is_file() and log.read_text("utf-8", errors="replace").endswith(": kept\n")
        # Snakemake writes NA or - for a job that ended before it was first looked at.
        times = pd.read_csv(path, sep="\t", na_values="-").fillna(0.0)
        times = times[["s", "cpu_time", "max_rss"]].astype(float) * (not kept)
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
    times = times.sort_values("seconds", ascending=False, kind="stable").reset_index()
    # Each data set is fetched by a rule of its own, and all of them measure one after another.
    places = [rooms.get(rule, "data" if rule == "fetch" else "report") for rule in times["rule"]]
    times.insert(0, "room", places)
    times.insert(0, "run", run.name)
    return times


def record(run: Path, manifest: dict, rooms: dict[str, str]) -> dict:
    """What is kept of a run's manifest besides its files, for `rooms`: room -> when finished."""
    rest = {key: value for key, value in manifest.items() if key not in ("outputs", "others")}
    board = read_leaderboard(run / "leaderboard.csv")
    rest["config_sha256"] = next(r["config_sha256"] for r in board if r["source"] == OURS)
    jobs = [j for j in manifest["jobs"] if room_of(j["outputs"], run) in (*rooms, "data")]
    return {**rest, "rooms": rooms, "jobs": jobs}


def take(run: Path, out: Path) -> list[str]:
    """Take the rooms of `run` into `out` that are newer than what is there; return their names."""
    for name in ("leaderboard.csv", "manifest.json"):
        if not (run / name).exists():
            raise InputError(f"{run}: it has no {name}: finish the run first (make run)")
    manifest, old = json.loads((run / "manifest.json").read_text("utf-8")), reference.read(out)
    if "rooms" not in manifest:
        raise InputError(f"{run}/manifest.json: of an older version: make run writes a new one")
    before = reference.finished(old, run.name)
    rooms = {name: end for name, end in manifest["rooms"].items() if end > before.get(name, "")}
    if not rooms:
        return []
    own = [e for e in manifest["outputs"] if any(reference.belongs(e["path"], r) for r in rooms)]
    copied = [e for e in own if Path(e["path"]).name in NAMES or e["path"].startswith("figures/")]
    if (size := sum(entry["bytes"] for entry in copied)) > LIMIT:
        raise InputError(f"{run}: {size:,} bytes to copy, expected at most {LIMIT:,}")
    times = job_times(run, manifest["jobs"])
    new, gone = reference.without(old, run.name, rooms)
    models = [Path(e["path"]).parent.as_posix() for e in own if e["path"].endswith("metrics.json")]
    for other in [one["run"] for one in new["runs"] if one.get("retired")]:
        new, more = reference.without(new, other, models)
        gone += more
    for path in gone:
        (out / path).unlink(missing_ok=True)
    for entry in copied:
        (out / run.name / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / entry["path"], out / run.name / entry["path"])
    new["outputs"] += [{**entry, "path": f"{run.name}/{entry['path']}"} for entry in own]
    new["outputs"].sort(key=lambda entry: entry["path"])
    new["runs"] = in_order([*left(new, run.name, rooms), record(run, manifest, rooms)])
    write_json(out / "manifest.json", new)
    if (out / "jobs.csv").exists():
        kept = pd.read_csv(out / "jobs.csv")
        same = (kept["run"] == run.name) & kept["room"].isin([*rooms, "data", "report"])
        times = times[times["room"].isin([*rooms, "data", "report"])]
        times = pd.concat([kept[~same], times]).sort_values("run", kind="stable")
    times.to_csv(out / "jobs.csv", index=False, float_format="%.1f", lineterminator="\n")
    return list(rooms)


def left(manifest: dict, run: str, rooms: Iterable[str]) -> list[dict]:
    """The records of what is still kept, when `rooms` of `run` have a new one."""
    found = []
    for one in manifest["runs"]:
        names = {
            e["path"].split("/")[1]
            for e in manifest["outputs"]
            if e["path"].startswith(f"{one['run']}/")
        }
        taken = rooms if one["run"] == run else ()
        still = {r: end for r, end in one["rooms"].items() if r not in taken and r in names}
        found += [{**one, "rooms": still}] if still else []
    return found


def in_order(records: Iterable[dict]) -> list[dict]:
    """The standard run first, retired ones last, then by name and time."""
    return sorted(
        records, key=lambda r: (r["run"] != "standard", "retired" in r, r["run"], r["finished"])
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--run", type=Path, nargs="*", default=[], help="folders of finished runs")
    add("--out", type=Path, required=True, help="folder to fill")
    add("--benchmarks", type=Path, default=Path("results/benchmarks"), help="their folder")
    args = parser.parse_args()
    measured = [path for name in BENCHMARKS if (path := args.benchmarks / name).exists()]
    # Read before anything is changed: a damaged file leaves the folder untouched.
    for table in COMMANDS if measured else ():
        markdown(table, args.benchmarks)
    for run in args.run:
        rooms = take(run, args.out)
        take_models(run, args.out)
        print(f"{run}: {', '.join(rooms) or 'nothing new'} -> {args.out}")
    for path in measured:
        shutil.copyfile(path, args.out / path.name)


if __name__ == "__main__":
    settings.run(main)
