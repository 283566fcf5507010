"""The state of a run, as its messages tell it: what is done, what runs, how long the rest takes."""

import json
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROGRESS = ".progress.json"  # beside a job's first output: pipeline.training_run writes it
MEMORY = Path(".snakemake/seconds.json")  # rule -> mean seconds of its jobs, of earlier runs
SHORT = 5.0  # seconds; jobs of a rule that are all shorter share a line where there is no terminal


def duration(seconds: float) -> str:
    """43 s, 2 min 56 s, 1 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def last_lines(log: Path | None, count: int = 5) -> list[str]:
    """The last lines of a job's log that are not empty, each cut to 400 characters."""
    try:
        text = log.read_bytes()[-20_000:].decode(errors="replace") if log else ""
    except OSError:
        return []
    lines = ("".join(c if c.isprintable() else " " for c in x).rstrip() for x in text.splitlines())
    return [line[:400] for line in deque(filter(None, lines), count)]


@dataclass
class Job:
    """A job that Snakemake announced."""

    rule: str
    wildcards: Mapping[str, str]
    output: Path | None
    log: Path | None
    began: float = field(default_factory=time.monotonic)
    last_sign: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """train_gpt tinyshakespeare, seed 1"""
        words = [
            value if not value.isdigit() else f"{key} {value}"
            for key, value in self.wildcards.items()
        ]
        return f"{self.rule} {', '.join(words)}".rstrip()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def silent_for(self) -> float:
        return time.monotonic() - self.last_sign

    def told(self) -> None:
        self.last_sign = time.monotonic()

    def progress(self) -> dict:
        """What the program says of itself: step, steps, seconds_left, loss; {} if it does not."""
        with suppress(OSError, ValueError):
            path = self.output.parent / PROGRESS if self.output else None
            if path and path.stat().st_mtime > time.time() - self.seconds - 1:
                found = json.loads(path.read_text(encoding="utf-8"))
                return found if isinstance(found, dict) else {}
        return {}

    def left(self, usual: float | None) -> float | None:
        """Seconds that it will still take: as it says, or as long as the jobs of its rule took."""
        told = self.progress().get("seconds_left")
        if isinstance(told, (int, float)):
            return float(told)
        return None if usual is None else max(0.0, usual - self.seconds)

    def status(self) -> str:
        """train_gpt tinyshakespeare, seed 1: step 400 of 1600, loss 1.43, 2 min 10 s left"""
        told = self.progress()
        parts = []
        if {"step", "steps"} <= told.keys():
            parts.append(f"step {told['step']} of {told['steps']}")
        parts += [f"{key} {told[key]:.4g}" for key in ("loss", "accuracy") if key in told]
        if "seconds_left" in told:
            parts.append(f"{duration(told['seconds_left'])} left")
        else:
            parts.append(duration(self.seconds))
        return f"{self.name}: {', '.join(parts)}"


class Board:
    """Jobs by their number; `total` and `done` count them."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.total = self.done = 0
        self.planned: Counter[str] = Counter()  # rule -> jobs of this run
        self.finished: dict[str, list[float]] = {}  # rule -> seconds of its finished jobs
        self._running: dict[int, Job] = {}
        self._waiting: dict[str, int] = {}  # rule -> short jobs that have no line yet
        self._memory: dict[str, float] = {}
        with suppress(OSError, ValueError, AttributeError):
            found = json.loads(MEMORY.read_text(encoding="utf-8"))
            self._memory = {k: float(v) for k, v in found.items()}

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def plan(self, stats: Mapping[str, int]) -> None:
        """What the run will do: rule -> jobs, and `total`. `all` makes nothing."""
        self.planned = Counter({k: n for k, n in stats.items() if k not in ("total", "all")})
        self.total = sum(self.planned.values())

    def announce(self, told: Mapping) -> None:
        """A job that starts now; of a group, which a cluster runs as one, all its jobs do."""
        if told["rule_name"] == "all":
            return
        outputs, logs = told.get("output") or [], told.get("log") or []
        self._running[told["jobid"]] = Job(
            told["rule_name"],
            {key: str(value) for key, value in dict(told["wildcards"] or {}).items()},
            Path(outputs[0]) if outputs else None,
            Path(logs[0]) if logs else None,
        )

    def running(self) -> list[Job]:
        """The longest-running first."""
        return sorted(self._running.values(), key=lambda job: job.began)

    def finish(self, number: int, grouped: bool) -> Iterator[str]:
        """Count a job; yield the line for it. grouped: short jobs of a rule share one line."""
        job = self._running.pop(number, None)
        if job is None:
            return
        self.done += 1
        seconds = job.seconds
        self.finished.setdefault(job.rule, []).append(seconds)
        count = f"[{self.done:{len(str(self.total))}}/{self.total}]"
        if not grouped or seconds > SHORT or self.planned[job.rule] == 1:
            yield f"{count} {job.name}: {duration(seconds)}"
            return
        self._waiting[job.rule] = self._waiting.get(job.rule, 0) + 1
        if len(self.finished[job.rule]) == self.planned[job.rule]:
            several = self._waiting.pop(job.rule)
            what = f"{several} jobs" if several > 1 else "1 job"
            yield f"{count} {job.rule}: {what} of less than {SHORT:.0f} s"

    def fail(self, number: int) -> Job | None:
        return self._running.pop(number, None)

    def usual(self, rule: str) -> float | None:
        """Mean seconds of a job of `rule`, in this run or in an earlier one."""
        if found := self.finished.get(rule):
            return sum(found) / len(found)
        return self._memory.get(rule)

    def seconds_left(self) -> float | None:
        """An estimate for the whole run; None while too little is known."""
        running = Counter(job.rule for job in self._running.values())
        known = [seconds for rule in self.planned if (seconds := self.usual(rule)) is not None]
        if not known or len(known) < len(self.planned) / 2:
            return None
        typical = sum(known) / len(known)
        waiting = 0.0
        for rule, count in self.planned.items():
            left = count - len(self.finished.get(rule, ())) - running[rule]
            seconds = self.usual(rule)
            waiting += max(0, left) * (typical if seconds is None else seconds)
        now = [job.left(self.usual(job.rule)) or 0.0 for job in self._running.values()]
        at_once = max(1, len(self._running))
        return max([(waiting + sum(now)) / at_once, *now])

    def summary(self) -> str:
        """12 of 66 jobs done, 1 min 5 s so far, about 2 min 40 s left"""
        left = self.seconds_left()
        rest = f", about {duration(left)} left" if left is not None and self._running else ""
        return f"{self.done} of {self.total} jobs done, {duration(self.seconds)} so far{rest}"

    def remember(self) -> None:
        """Keep the seconds of the rules for the estimate of the next run."""
        means = {rule: sum(found) / len(found) for rule, found in self.finished.items()}
        with suppress(OSError):
            MEMORY.parent.mkdir(exist_ok=True)
            temporary = MEMORY.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self._memory | means), encoding="utf-8")
            temporary.replace(MEMORY)
