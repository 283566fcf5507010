"""A run of the demo, session after session: Snakemake is started and watched."""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from harness import HANDED_ON, SNAKEMAKE, copy_repository
from processes import Process, jobs
from snakemake.utils import update_config

POLL_SECONDS = 0.02
PRESET = "faults"


def short_copy(repository: Path, folder: Path) -> Path:
    """A copy of the repository with the preset `faults`: the demo, changed by short.yaml."""
    copy_repository(repository, folder)
    (folder / ".venv").symlink_to(SNAKEMAKE.parents[1])
    config = yaml.safe_load((repository / "config" / "demo.yaml").read_text())
    update_config(config, yaml.safe_load(Path(__file__).with_name("short.yaml").read_text()))
    preset = folder / "config" / f"{PRESET}.yaml"
    preset.write_text(yaml.safe_dump(config, sort_keys=False))
    return folder


@dataclass
class Kill:
    """One hit, and what came of it."""

    session: int
    signal: str
    target: str  # job, group: Snakemake with all its jobs, or snakemake: alone
    job: str
    cpu_seconds: float  # of the job, or of all that lived
    checkpoint: bool  # whether there was one to resume from
    finished: int  # jobs that were finished by then
    after: str = ""  # how the job's next start began


@dataclass
class Seen:
    """What was seen of a process so far."""

    judged: bool  # whether it had a checkpoint when it began, and must resume from it
    seconds: float = 0.0  # CPU
    before: float | None = None  # a training: CPU seconds until it deferred SIGTERM
    resumed: bool = False  # its log says so
    kill: Kill | None = None  # what ended the job's last start

    @property
    def silent(self) -> bool:
        """Whether it must still say that it resumed."""
        return self.judged and not self.resumed


@dataclass
class Run:
    """The short demo in `folder`, a copy of the repository."""

    folder: Path
    cores: int
    # job -> CPU seconds, of a training those after it deferred SIGTERM
    usual: dict[str, float] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    starts: dict[str, int] = field(default_factory=dict)  # job -> how often it began
    finished: set[str] = field(default_factory=set)  # jobs that Snakemake called finished
    left_alone: set[Process] = field(default_factory=set)  # they outlived their Snakemake
    refused: int = 0  # how often `make unlock` saw a program that still ran
    wrong: list[str] = field(default_factory=list)
    sessions: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.run = self.folder / "results" / PRESET
        self.logs = (self.run / "logs").resolve()

    def command(self, *words: str) -> list[str]:
        preset = ["--configfile", f"config/{PRESET}.yaml", "--cores", str(self.cores)]
        return [str(SNAKEMAKE), *preset, *words]

    def environment(self) -> dict[str, str]:
        known = {k: v for k, v in os.environ.items() if k not in HANDED_ON}
        # A program that is killed has said in its log all that it printed.
        known["PYTHONUNBUFFERED"] = "1"
        return known | {"PATH": f"{SNAKEMAKE.parent}:{known['PATH']}"}

    def unlock(self, by_force: bool = False) -> subprocess.CompletedProcess:
        """`make unlock`; by_force: Snakemake's own, which asks for nobody else."""
        make = ["make", "unlock", f"PRESET={PRESET}", f"CORES={self.cores}"]
        return subprocess.run(
            self.command("--unlock") if by_force else make,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
        )

    def session(self, chaos=None, *words: str) -> int | None:
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
        known: dict[Process, Seen] = {}
        killed = False
        while snakemake.poll() is None and not killed:
            for process in jobs(self.logs):
                if process not in self.left_alone:
                    if process not in known:
                        known[process] = self._began(process)
                    self._look(process, known[process])
            if chaos:
                killed = chaos.strike(self, snakemake, known)
            time.sleep(POLL_SECONDS)
        snakemake.wait()
        self.seconds += time.monotonic() - began
        self._ended(printed.read_text(errors="replace"), known)
        if chaos is None:
            self.usual |= {p.job: seen.seconds - (seen.before or 0) for p, seen in known.items()}
        return None if killed else snakemake.returncode

    def _began(self, process: Process) -> Seen:
        self.starts[process.job] = self.starts.get(process.job, 0) + 1
        if process.job in self.finished:
            self.wrong.append(f"{process.job}: finished in an earlier session, and ran again")
        there = self.has_checkpoint(process)
        last = next((kill for kill in reversed(self.kills) if kill.job == process.job), None)
        if last and not last.after:
            last.after = "had a checkpoint" if there else "started over"
        else:
            last = None
        # One that still runs without its Snakemake may finish, and clear what it had.
        others = any(other.job == process.job and other.lives() for other in self.left_alone)
        return Seen(there and not others, kill=last)

    def _look(self, process: Process, seen: Seen) -> None:
        # A process that is gone meanwhile has 0 seconds.
        seen.seconds = max(seen.seconds, process.seconds())
        if seen.before is None and process.checkpoint() and process.defers_sigterm():
            seen.before = seen.seconds
        if seen.before is not None and not seen.resumed:
            seen.resumed = self._says_resumed(process)
            if seen.resumed and seen.kill:
                seen.kill.after = "resumed"

    def _says_resumed(self, process: Process) -> bool:
        log = self.logs / f"{process.job}.log"
        return log.exists() and "resumed" in log.read_text(errors="replace")

    def has_checkpoint(self, process: Process) -> bool:
        directory = process.checkpoint()
        return bool(directory) and any((self.folder / directory).glob("[!.]*.npz"))

    def _ended(self, printed: str, known: dict[Process, Seen]) -> None:
        """Note what Snakemake called finished; a training with a checkpoint must have resumed."""
        log_of = {
            number: log
            for log, number in re.findall(
                rf"^ +log: results/{PRESET}/logs/(\S+)\.log.*\n(?: +.*\n)*? +jobid: (\d+)$",
                printed,
                flags=re.M,
            )
        }
        done = {log_of[n] for n in re.findall(r"Finished jobid: (\d+)", printed) if n in log_of}
        self.finished |= done
        for process, seen in {
            process.job: (process, seen) for process, seen in known.items()
        }.values():
            if seen.judged and process.job in done and not seen.resumed:
                if not self._says_resumed(process):
                    self.wrong.append(f"{process.job}: had a checkpoint, and started over")
                elif seen.kill:
                    seen.kill.after = "resumed"
