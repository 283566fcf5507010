"""The jobs that made the files of a run, read from what Snakemake recorded about each of them.

Snakemake keeps a JSON file an output under .snakemake/metadata, named by the base64 of its path:
the rule, its inputs, the command, begin and end. The command holds the `--spec`, and so the
settings and the hash of the code that made the file, even if the code has changed since.
"""

import json
import shlex
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import InputError


@dataclass(frozen=True)
class Job:
    """An executed job: `settings` is its --spec without `code`; begin and end in Unix seconds."""

    rule: str
    program: str
    code: str | None
    settings: dict
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    log: str
    begin: float
    end: float

    def entry(self) -> dict:
        """The job's entry in the manifest: how long it took, not when it ran."""
        kept = {key: value for key, value in asdict(self).items() if key not in ("begin", "end")}
        return {**kept, "seconds": round(self.end - self.begin, 3)}


def _job(rule: str, command: str, records: dict[str, dict]) -> Job:
    """The job of a command, `python -m room.program --spec '{...}' ...`: output -> its record."""
    words, several = shlex.split(command or ""), list(records.values())
    spec = json.loads(words[words.index("--spec") + 1]) if "--spec" in words[:-1] else {}
    return Job(
        rule=rule,
        program=words[2] if words[1:2] == ["-m"] else "",
        code=spec.pop("code", None),
        settings=spec,
        inputs=tuple(sorted({path for values in several for path in values["input"]})),
        outputs=tuple(sorted(records)),
        log=next(iter(several[0].get("log") or [""])),
        begin=min(values["starttime"] for values in several),
        end=max(values["endtime"] for values in several),
    )


def read_jobs(folder: Path) -> dict[str, Job]:
    """Path of an output -> the job that made it, for every record in `folder`.

    Records of unfinished jobs are left out. Raises InputError if a record cannot be read.
    """
    found: dict[tuple[str, str], dict[str, dict]] = {}
    for record in sorted(path for path in folder.rglob("*") if path.is_file()):
        # A long name is split into folders that begin with @.
        name = "".join(part.removeprefix("@") for part in record.relative_to(folder).parts)
        try:
            output, values = urlsafe_b64decode(name).decode(), json.loads(record.read_text())
            if not values.get("incomplete") and values.get("endtime"):
                found.setdefault((values["rule"], values["shellcmd"]), {})[output] = values
        except (ValueError, KeyError, TypeError) as error:
            wrong = f"{record}: not a record of a job as Snakemake 9 writes it ({error!r})"
            raise InputError(f"{wrong}: remove it, and the next run makes its file again") from None
    jobs: dict[str, Job] = {}
    for (rule, command), records in found.items():
        jobs |= dict.fromkeys(records, _job(rule, command, records))
    return jobs


def ancestry(files: Iterable[str], jobs: dict[str, Job]) -> tuple[list[Job], list[str]]:
    """(jobs, files) that `files` were made by and from, themselves included.

    Jobs are sorted by rule and outputs. The files, sorted too, are all outputs of these jobs and
    all that they read.
    """
    seen: set[str] = set()
    todo = set(files)
    while todo:
        path = todo.pop()
        seen.add(path)
        if path in jobs:
            todo |= {*jobs[path].inputs, *jobs[path].outputs} - seen
    made = {jobs[path].outputs: jobs[path] for path in seen if path in jobs}
    return sorted(made.values(), key=lambda job: (job.rule, job.outputs)), sorted(seen)
