"""A run of the demo, session after session: Snakemake is started, watched, and hit."""

import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness import SNAKEMAKE
from processes import Process, jobs

POLL_SECONDS = 0.02


@dataclass
class Kill:
    """One hit, and what came of it."""

    session: int
    signal: str
    target: str  # job, snakemake, or group: Snakemake with all its jobs
    job: str
    cpu_seconds: float
    checkpoint: bool  # whether there was one to resume from
    finished: int  # jobs that were finished by then
    after: str = ""  # how the job's next start began


@dataclass
class Run:
    """The demo in `folder`, a copy of the repository."""

    folder: Path
    cores: int
    usual: dict[str, float] = field(default_factory=dict)  # rule -> least CPU seconds of a job
    kills: list[Kill] = field(default_factory=list)
    starts: dict[str, int] = field(default_factory=dict)  # job -> how often it began
    finished: set[str] = field(default_factory=set)  # jobs that Snakemake called finished
    wrong: list[str] = field(default_factory=list)
    sessions: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.run = self.folder / "results" / "demo"
        self.logs = (self.run / "logs").resolve()

    def command(self, *words: str) -> list[str]:
        preset = ["--configfile", "config/demo.yaml", "--cores", str(self.cores)]
        return [str(SNAKEMAKE), *preset, *words]

    def environment(self) -> dict[str, str]:
        known = {k: v for k, v in os.environ.items() if k != "DATA_MIRROR"}
        return known | {"PATH": f"{SNAKEMAKE.parent}:{known['PATH']}"}

    def unlock(self) -> None:
        """What `make unlock` does."""
        subprocess.run(
            self.command("--unlock"),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            check=True,
        )

    def session(self, chaos: "Chaos | None" = None, *words: str) -> int | None:
        """Run Snakemake to its end: its status, or None if `chaos` killed it."""
        self.sessions += 1
        printed = self.folder / f"session{self.sessions}.log"
        began = time.monotonic()
        with printed.open("w") as out:
            snakemake = subprocess.Popen(
                self.command(*words),
                cwd=self.folder,
                env=self.environment(),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        known: dict[Process, float] = {}
        resumable: dict[Process, bool] = {}
        killed = False
        while snakemake.poll() is None and not killed:
            for process in jobs(self.logs):
                if process not in known:
                    self._began(process, resumable)
                known[process] = process.seconds()
            if chaos:
                killed = chaos.strike(self, snakemake, known, time.monotonic() - began)
            time.sleep(POLL_SECONDS)
        snakemake.wait()
        self.seconds += time.monotonic() - began
        self._ended(printed.read_text(errors="replace"), resumable)
        for process, seconds in known.items():
            if chaos is None:
                least = self.usual.get(process.rule, seconds)
                self.usual[process.rule] = min(least, seconds)
        return None if killed else snakemake.returncode

    def _began(self, process: Process, resumable: dict[Process, bool]) -> None:
        self.starts[process.job] = self.starts.get(process.job, 0) + 1
        if process.job in self.finished:
            self.wrong.append(f"{process.job}: finished in an earlier session, and ran again")
        resumable[process] = self.has_checkpoint(process)
        last = next((kill for kill in reversed(self.kills) if kill.job == process.job), None)
        if last and not last.after:
            last.after = "had a checkpoint" if resumable[process] else "began anew"

    def has_checkpoint(self, process: Process) -> bool:
        directory = process.checkpoint()
        return bool(directory) and any((self.folder / directory).glob("[!.]*.npz"))

    def _ended(self, printed: str, resumable: dict[Process, bool]) -> None:
        """Note what Snakemake called finished; a training with a checkpoint must have resumed."""
        log_of = {
            number: log
            for log, number in re.findall(
                r"^ +log: results/demo/logs/(\S+)\.log.*\n(?: +.*\n)*? +jobid: (\d+)$",
                printed,
                flags=re.M,
            )
        }
        done = {log_of[n] for n in re.findall(r"Finished jobid: (\d+)", printed) if n in log_of}
        self.finished |= done
        for process, there in resumable.items():
            if there and process.job in done:
                text = (self.logs / f"{process.job}.log").read_text(errors="replace")
                if "resumed" in text:
                    for kill in self.kills:
                        if kill.job == process.job and kill.after == "had a checkpoint":
                            kill.after = "resumed"
                else:
                    self.wrong.append(f"{process.job}: had a checkpoint, and began anew")


@dataclass
class Chaos:
    """What is still to be hit, and when: all drawn from one seed."""

    random: random.Random
    jobs: dict[str, int]  # rule -> hits to come
    preempt: set[str]  # rules of which one job gets SIGTERM first
    snakemake: list[str]  # kinds of hits on Snakemake to come: group, snakemake
    _at: dict[Process, float] = field(default_factory=dict)
    _when: float | None = None
    orphans: list[Process] = field(default_factory=list)

    def strike(self, run: Run, snakemake, known: dict[Process, float], elapsed: float) -> bool:
        """Hit what is due now; whether Snakemake itself was killed."""
        living = [process for process in known if process.lives()]
        for process in living:
            left = self.jobs.get(process.rule, 0)
            if left and process not in self._at:
                # A program that just started has not yet asked to be told of SIGTERM.
                least = 0.3 if process.rule in self.preempt else 0.05
                share = self.random.uniform(least, 0.85)
                self._at[process] = share * run.usual.get(process.rule, 0.2)
            if left and process.seconds() >= self._at[process]:
                self._hit(run, process)
        if not self.snakemake or not living:
            return False
        if self._when is None:
            self._when = elapsed + self.random.uniform(2, 12)
        if elapsed < self._when:
            return False
        self._when = None
        kind = self.snakemake.pop(0)
        there = any(run.has_checkpoint(process) for process in living)
        names = " ".join(process.job for process in living)
        if kind == "group":
            os.killpg(snakemake.pid, signal.SIGKILL)
        else:
            snakemake.kill()
            self.orphans = living
        run.kills.append(
            Kill(run.sessions, "KILL", kind, names, 0.0, there, len(run.finished), "next session")
        )
        return True

    def _hit(self, run: Run, process: Process) -> None:
        there, seconds = run.has_checkpoint(process), process.seconds()
        gentle = process.rule in self.preempt
        if process.end(signal.SIGTERM if gentle else signal.SIGKILL):
            if gentle:
                self.preempt.remove(process.rule)
            else:
                self.jobs[process.rule] -= 1
            self._at[process] = float("inf")
            name = "TERM" if gentle else "KILL"
            run.kills.append(
                Kill(run.sessions, name, "job", process.job, seconds, there, len(run.finished))
            )
