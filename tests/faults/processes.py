"""The processes of a run, as Linux shows them: which job, how far, and an end at any moment."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """A job's program; `job` is its log below the run's logs/, without the ending."""

    pid: int
    born: str  # ticks since boot: with the pid it names one process
    job: str

    @property
    def rule(self) -> str:
        return self.job.split("/")[0]

    def _stat(self) -> list[str]:
        # The name in brackets may hold anything: the fields count from the last bracket.
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()

    def lives(self) -> bool:
        try:
            fields = self._stat()
        except OSError:
            return False
        return fields[19] == self.born and fields[0] not in "ZX"

    def seconds(self) -> float:
        """CPU seconds so far; 0 if it is gone. Unlike the clock's they do not depend on load."""
        try:
            fields = self._stat()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICKS

    def defers_sigterm(self) -> bool:
        """Whether it handles SIGTERM itself: a training that holds its checkpoint's lock."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return False
        caught = next((x.split()[1] for x in status.splitlines() if x.startswith("SigCgt:")), "0")
        return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)

    def checkpoint(self) -> Path | None:
        """The directory after --checkpoint, if there is one (relative to the run's folder)."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_text().split("\0")
        except OSError:
            return None
        return Path(words[words.index("--checkpoint") + 1]) if "--checkpoint" in words else None

    def end(self, with_signal: int = signal.SIGKILL) -> bool:
        """Send the signal; whether the process was there to get it. SIGKILL is waited for."""
        if not self.lives():
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, with_signal)
            while with_signal == signal.SIGKILL and self.lives():
                time.sleep(0.002)
            return True
        return False


def jobs(logs: Path) -> list[Process]:
    """The programs that write into `logs` (absolute) now. The shell opens a log for its program
    alone, so that each process is one start of one job; children of a program, which have its log
    until they get an output of their own, are left out."""
    found, parents = {}, {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                out = Path(os.readlink(f"/proc/{entry.name}/fd/1"))
                job = out.relative_to(logs).with_suffix("").as_posix()
                fields = Path(f"/proc/{entry.name}/stat").read_text().rpartition(")")[2].split()
                found[int(entry.name)] = Process(int(entry.name), fields[19], job)
                parents[int(entry.name)] = int(fields[1])
    return [process for pid, process in found.items() if parents[pid] not in found]
