"""How short a run could have been: its jobs' own times, packed on the cores that it had."""

import csv
import re
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from pathlib import Path

from manifest.jobs import Job, ancestry, read_jobs

ELAPSED = re.compile(r"Elapsed time: (?:(\d+) days?, )?(\d+):(\d+):([\d.]+)")


def own_seconds(root: Path, job: Job) -> float:
    """A job's time as its benchmark file says; without one, as Snakemake's record says."""
    path = root / job.log.replace("/logs/", "/benchmarks/", 1)
    try:
        with path.with_suffix(".tsv").open(newline="") as opened:
            return float(next(csv.DictReader(opened, delimiter="\t"))["s"])
    except (OSError, StopIteration, KeyError, ValueError):
        return job.end - job.begin


def packing(
    seconds: Sequence[float], needs: Sequence[set[int]], threads: Sequence[int], cores: int
) -> float:
    """The end of the last job if jobs start as early as they can on `cores`.

    seconds, threads: of each job; needs: the jobs that must end before it. Of the jobs that could
    start, the one with the longest way to the end starts first. Raises ValueError for a circle.
    """
    after: Mapping[int, list[int]] = {job: [] for job in range(len(seconds))}
    for job, before in enumerate(needs):
        for one in before:
            after[one].append(job)
    way: dict[int, float] = {}
    waiting = {job: len(after[job]) for job in after}
    todo = [job for job, number in waiting.items() if not number]
    for job in todo:
        way[job] = seconds[job] + max((way[one] for one in after[job]), default=0.0)
        for one in needs[job]:
            waiting[one] -= 1
            if not waiting[one]:
                todo.append(one)
    if len(way) < len(seconds):
        raise ValueError("the jobs wait for each other in a circle")
    missing = {job: len(before) for job, before in enumerate(needs)}
    ready = [(-way[job], job) for job, number in missing.items() if not number]
    running: list[tuple[float, int]] = []
    now, free = 0.0, cores
    while ready or running:
        kept = []
        for item in sorted(ready):
            if min(threads[item[1]], cores) <= free:
                free -= min(threads[item[1]], cores)
                heappush(running, (now + seconds[item[1]], item[1]))
            else:
                kept.append(item)
        ready = kept
        now, job = heappop(running)
        free += min(threads[job], cores)
        for one in after[job]:
            missing[one] -= 1
            if not missing[one]:
                ready.append((-way[one], one))
    return now


def invocation_seconds(root: Path, jobs: Sequence[Job]) -> float | None:
    """The wall time of the one invocation of Snakemake that made all `jobs`, its start included.

    Snakemake ends its log with the elapsed time. None if no log covers all jobs.
    """
    begin, end = min(job.begin for job in jobs), max(job.end for job in jobs)
    for path in (root / ".snakemake" / "log").glob("*.snakemake.log"):
        elapsed = ELAPSED.search(path.read_text(errors="replace"))
        if elapsed:
            days, hours, minutes, rest = (float(part or 0) for part in elapsed.groups())
            wall = ((days * 24 + hours) * 60 + minutes) * 60 + rest
            last = path.stat().st_mtime
            if last - wall - 5 <= begin and end <= last + 5:
                return wall
    return None


def overhead(root: Path, run: str, cores: int) -> tuple[float, float, int] | None:
    """(wall seconds, packed seconds, jobs) of the finished run in root/run, or None.

    None: the run was made by more than one invocation, so that no wall time belongs to it.
    """
    every = read_jobs(root / ".snakemake" / "metadata")
    jobs, _ = ancestry([f"{run}/leaderboard.csv", f"{run}/report.html"], every)
    inside = [job for job in jobs if job.log.startswith(f"{run}/")]
    wall = invocation_seconds(root, inside) if inside else None
    if wall is None:
        return None
    made = {path: number for number, job in enumerate(inside) for path in job.outputs}
    packed = packing(
        [own_seconds(root, job) for job in inside],
        [{made[path] for path in job.inputs if path in made} for job in inside],
        [int(job.settings.get("threads", 1)) for job in inside],
        cores,
    )
    return wall, packed, len(inside)
