"""The state of a run, as its messages tell it: what is done, what runs, how long the rest takes."""

import json
import os
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROGRESS = ".progress.json"  # beside a job's first output: pipeline.training_run writes it
MEMORY = Path(".snakemake/seconds.json")  # run -> rule -> mean seconds of its jobs
PATIENCE = 30.0  # seconds without a line, where there is no terminal


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


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` letters: what a long one loses is its middle."""
    if len(text) <= width:
        return text
    head = max(1, (width - 3) // 2)
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"[:width]


@dataclass
class Job:
    """A job that Snakemake announced."""

    rule: str
    wildcards: Mapping[str, str]
    output: Path | None
    log: Path | None
    began: float = field(default_factory=time.monotonic)

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

    def progress(self) -> dict:
        """What the program says of itself: step, steps, seconds_left, loss; {} if it does not."""
        with suppress(OSError, ValueError, TypeError):
            path = self.output.parent / PROGRESS if self.output else None
            age = time.time() - path.stat().st_mtime if path else self.seconds
            if path and age < self.seconds + 1:  # an older one is another job's
                found = json.loads(path.read_text(encoding="utf-8"))
                return found | {"seconds_left": max(0.0, found["seconds_left"] - age)}
        return {}

    def left(self, usual: float | None) -> float | None:
        """Seconds that it will still take: as it says, or as long as the jobs of its rule took."""
        told = self.progress().get("seconds_left")
        return told if told is not None or usual is None else max(0.0, usual - self.seconds)

    def progress_texts(self) -> tuple[str, str, str]:
        """("step 400/1600", "loss 1.435", "2 min 10 s left"); ("", "", "12 s") without any."""
        told = self.progress()
        if not {"step", "steps"} <= told.keys():
            return "", "", duration(self.seconds)
        loss = f"loss {told['loss']:.3f}" if "loss" in told else ""
        return (
            f"step {told['step']}/{told['steps']}",
            loss,
            f"{duration(told['seconds_left'])} left",
        )

    def status(self) -> str:
        """train_gpt tinyshakespeare, seed 1 (step 400/1600, loss 1.435, 2 min 10 s left)"""
        return f"{self.name} ({', '.join(filter(None, self.progress_texts()))})"


class Board:
    """Jobs by their number; `total` and `done` count them.

    Snakemake's messages change it while another thread reads it: `running` is a copy.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.total = self.done = 0
        self.planned: Counter[str] = Counter()  # rule -> jobs of this run
        self.finished: dict[str, list[float]] = {}  # rule -> seconds of its finished jobs
        self._running: dict[int, Job] = {}
        self._waiting: dict[str, list[tuple[str, float]]] = {}  # rule -> jobs without a line
        self._memory: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def patience(self) -> float:
        """Seconds after which something is said where there is no terminal.

        They grow with the run, so that one of hours has some dozens of such lines, not hundreds.
        """
        return max(PATIENCE, self.seconds / 10)

    def plan(self, stats: Mapping[str, int]) -> None:
        """What the run will do: rule -> jobs, and `total`. `all` makes nothing."""
        self.planned = Counter({k: n for k, n in stats.items() if k not in ("total", "all")})
        self.total = sum(self.planned.values())
        self._memory = _remembered().get(_run(), {})

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

    def finish(self, number: int, grouped: bool) -> list[str]:
        """Count a job; return the lines for it.

        grouped: jobs of a rule that nobody had to wait for share the line of the last of them.
        """
        job = self._running.pop(number, None)
        if job is None:
            return []
        self.done += 1
        seconds = job.seconds
        done = self.finished.setdefault(job.rule, [])
        done.append(seconds)
        if not grouped or seconds > self.patience:
            lines = [self._line([(job.name, seconds)])]
        else:
            lines = []
            self._waiting.setdefault(job.rule, []).append((job.name, seconds))
        if len(done) == self.planned[job.rule] and (waiting := self._waiting.pop(job.rule, None)):
            lines.append(self._line(waiting))
        return lines

    def _line(self, jobs: list[tuple[str, float]]) -> str:
        count = f"[{self.done:{len(str(self.total))}}/{self.total}]"
        (name, least), *others = sorted(jobs, key=lambda job: job[1])
        if not others:
            return f"{count} {name}: {duration(least)}"
        most, rule = others[-1][1], name.split()[0]
        return f"{count} {rule}: {len(jobs)} jobs of {duration(least)} to {duration(most)}"

    def rest(self) -> list[str]:
        """The lines of finished jobs that still wait for others of their rule."""
        waiting, self._waiting = self._waiting, {}
        return [self._line(jobs) for jobs in waiting.values()]

    def fail(self, number: int) -> Job | None:
        return self._running.pop(number, None)

    def usual(self, rule: str) -> float | None:
        """Mean seconds of a job of `rule`, in this run or when it ran before."""
        if found := self.finished.get(rule):
            return sum(found) / len(found)
        return self._memory.get(rule)

    def seconds_left(self) -> float | None:
        """An estimate for the whole run; None while the times of most jobs are unknown."""
        now = self.running()
        known = {rule: s for rule in self.planned if (s := self.usual(rule)) is not None}
        if sum(self.planned[rule] for rule in known) < self.total / 2 or not known:
            return None
        typical = sum(known.values()) / len(known)
        started = Counter(job.rule for job in now)
        waiting = 0.0
        for rule, count in self.planned.items():
            left = count - len(self.finished.get(rule, ())) - started[rule]
            waiting += max(0, left) * known.get(rule, typical)
        lefts = [job.left(known.get(job.rule)) or 0.0 for job in now]
        return max([(waiting + sum(lefts)) / max(1, len(now)), *lefts])

    def summary(self) -> str:
        """12 of 66 jobs done in 1 min 5 s, about 2 min 40 s left"""
        left = self.seconds_left() if self._running else None
        rest = f", about {duration(left)} left" if left is not None else ""
        return f"{self.done} of {self.total} jobs done in {duration(self.seconds)}{rest}"

    def now(self, most: int = 3) -> str:
        """What runs, the longest-running first, in one line."""
        running = self.running()
        texts = [job.status() for job in running[:most]]
        texts += [f"{len(running) - most} more"] * (len(running) > most)
        return ", ".join(texts)

    def remember(self) -> None:
        """Keep the seconds of the rules for the estimate of the next such run."""
        means = {rule: sum(found) / len(found) for rule, found in self.finished.items()}
        kept = _remembered()
        kept[_run()] = kept.get(_run(), {}) | means
        with suppress(OSError):
            MEMORY.parent.mkdir(exist_ok=True)
            temporary = MEMORY.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(kept), encoding="utf-8")
            temporary.replace(MEMORY)


def _run() -> str:
    """The name of this run, which the Snakefile has told by now."""
    return Path(os.environ.get("RUN_FOLDER", "")).name


def _remembered() -> dict[str, dict[str, float]]:
    """The seconds of earlier runs; {} if there are none, or none that can be read."""
    with suppress(OSError, ValueError):
        found = json.loads(MEMORY.read_text(encoding="utf-8"))
        return {run: rules for run, rules in found.items() if isinstance(rules, dict)}
    return {}
