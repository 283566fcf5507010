"""Say which jobs of a run failed and why, a line each: `make run` ends with it."""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOGS = Path(".snakemake/log")
HEAD = re.compile(r"(?P<indent> *)(?P<kind>Error in |local|)(?:rule|checkpoint) (?P<rule>\w+):")
FIELD = re.compile(r" +(jobid|wildcards|log): (.*?)(?: \(check log file\(s\) for error details\))?")
FINISHED = re.compile(r"Finished jobid: (\d+)\b.*")
INCOMPLETE = re.compile(r"Job (\d+) +completed successfully, but some output files are missing.*")
GROUP = re.compile(r" +jobs:")
STOPPED = "Terminating processes on user request"
MOST_JOBS = 20
LAST_BYTES = 100_000
LITTLE_ROOM = 10_000_000
LONGEST = 400  # letters of a line out of a log


@dataclass
class Job:
    """A job as Snakemake tells of it; `group`: which of the groups that failed, 0 for none."""

    rule: str
    wildcards: str = ""
    log: str = ""
    group: int = 0
    ended_well: bool = False

    @property
    def name(self) -> str:
        return f"{self.rule} ({self.wildcards})" if self.wildcards else self.rule


def first_since(folder: Path, since: str) -> Path | None:
    """Snakemake's own file of the first run in `folder` that began at `since` or later.

    A later one is somebody else's, who found the folder locked.
    """
    names = sorted(path.name for path in folder.glob("*.snakemake.log") if path.name >= since)
    return folder / names[0] if names else None


def blocks(text: str) -> Iterator[tuple[re.Match, dict[str, str]]]:
    """The heads of jobs that start or failed, with their fields, and other lines that count."""
    fields = None
    for line in text.splitlines():
        known = (pattern.fullmatch(line) for pattern in (FINISHED, INCOMPLETE, GROUP))
        if other := next(filter(None, known), None):
            yield other, {}
        elif head := HEAD.fullmatch(line):
            fields = {}
            yield head, fields
        elif line.startswith(" ") and line.strip() != "shell:":
            if fields is not None and (field := FIELD.fullmatch(line)):
                fields.setdefault(field[1], field[2])
        else:  # a command may hold any line
            fields = None


def failed_jobs(text: str) -> list[Job]:
    """The jobs that failed and did not end well in a later attempt, in the order of failing."""
    jobs: dict[str, Job] = {}
    failed: dict[str, Job] = {}
    groups = 0
    for head, fields in list(blocks(text)):
        if head.re is GROUP:
            groups += 1
        elif head.re is FINISHED:
            failed.pop(head[1], None)
        elif head.re is INCOMPLETE:
            job = failed[head[1]] = jobs.setdefault(head[1], Job(f"job {head[1]}"))
            job.ended_well = True
        elif number := fields.get("jobid"):
            job = jobs.setdefault(number, Job(head["rule"]))
            job.wildcards = fields.get("wildcards") or job.wildcards
            job.log = fields.get("log") or job.log
            if head["kind"] == "Error in ":
                failed[number] = job
                job.group, job.ended_well = groups if head["indent"] else 0, False
    return list(failed.values())


def last_words(path: Path) -> tuple[str, bool]:
    """The last line of a log that says `error:`, else its last one; whether it says so."""
    try:
        text = path.read_bytes()[-LAST_BYTES:].decode(errors="replace")
    except (OSError, ValueError):  # a name with a NUL byte, as after a power cut
        return "it left no log", False
    lines = ["".join(c if c.isprintable() else " " for c in x).strip() for x in text.splitlines()]
    errors = [line for line in lines if line.startswith("error:")]
    last = (errors or [line for line in lines if line] or [_empty(path)])[-1]
    return (last if len(last) <= LONGEST else f"{last[: LONGEST - 3]}..."), bool(errors)


def _empty(log: Path) -> str:
    """On a full disk a program cannot say in its log why it ended."""
    free = shutil.disk_usage(log.parent).free
    room = f", and its disk has {free // 1000} kB left: make room" if free < LITTLE_ROOM else ""
    return f"its log is empty{room}"


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except ValueError:
        return False


def told(job: Job, own: Path) -> tuple[str, bool]:
    """The line for a failed job, and whether its log holds an `error:`; `own` is Snakemake's."""
    if not job.log:
        return f"failed: {job.name}: it has no log; Snakemake's: {own}", False
    paths = [Path(name) for name in job.log.split(", ")]
    path = next((path for path in paths if _there(path)), paths[0])
    words, certain = last_words(path)
    if job.ended_well:
        words = f"it ended well without writing all its results; its last words: {words}"
    return f"failed: {job.name}: {words}; log: {path}", certain


def report(own: Path) -> list[str]:
    """A line for each failed job in Snakemake's own file.

    Snakemake takes all jobs of a group for failed: those whose log holds an `error:` are told, or
    all where none does. Jobs that Ctrl-C ended have not failed.
    """
    text = own.read_text(encoding="utf-8", errors="replace")
    jobs = failed_jobs(text.partition(STOPPED)[0])
    lines = [(job, *told(job, own)) for job in jobs]
    explained = {job.group for job, _, certain in lines if certain} - {0}
    shown = [line for job, line, certain in lines if certain or job.group not in explained]
    more = len(shown) - MOST_JOBS
    return shown[:MOST_JOBS] + ([f"and {more} more that failed: see {own}"] if more > 0 else [])


def tell(since: str) -> None:
    """Print which jobs failed in the run that began then, as 2026-01-31T235959.

    Snakemake keeps what it said in a file that is named by the time; without one of this run, or
    with no failed job in it, nothing is printed.
    """
    with suppress(OSError):  # the run's own words stand above: nothing to add
        own = first_since(LOGS, since)
        for line in report(own) if own else ():
            print(line, file=sys.stderr)
