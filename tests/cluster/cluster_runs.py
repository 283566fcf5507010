"""Runs on the one-node Slurm: started side by side, watched; what Slurm knows of their jobs."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness import BRIEF, HANDED_ON, copy_repository, write_preset

HERE = Path(__file__).parent
PROFILE = HERE.parents[1] / "workflow" / "profiles"
BIN = Path(sys.executable).parent


class Run:
    """A command that runs in the background, with all that it prints in a file."""

    def __init__(self, folder: Path, *words: str | Path, log: str = "run.log"):
        environment = {k: v for k, v in os.environ.items() if k not in HANDED_ON}
        environment["PATH"] = f"{BIN}:{environment['PATH']}"
        self.folder, self.log = folder, folder / log
        with self.log.open("w") as opened:
            self.process = subprocess.Popen(
                list(map(str, words)),
                cwd=folder,
                stdout=opened,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def shown(self) -> str:
        return self.log.read_text()

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def finish(self, seconds: float, check: bool = True) -> str:
        """Wait for the end and return all that was printed; with `check` it must have gone well."""
        self.process.wait(seconds)
        assert not check or self.process.returncode == 0, self.shown[-6000:]
        return self.shown

    def kill(self) -> None:
        """End it and all that it started on this machine, if it still runs."""
        if self.running:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def submissions(self) -> list[str]:
        """The ids of the Slurm jobs that Snakemake submitted, in order, each once."""
        found = re.findall(r"has been submitted with SLURM jobid (\d+)", self.shown)
        return list(dict.fromkeys(found))


def demo_copy(repository: Path, folder: Path) -> Path:
    """A copy of the repository with the preset `small`, which runs in this .venv."""
    copy_repository(repository, folder)
    (folder / ".venv").symlink_to(repository / ".venv")
    write_preset(folder, "small", BRIEF, HERE / "small.yaml")
    return folder


def toy_copy(folder: Path) -> Path:
    shutil.copytree(HERE / "toy", folder)
    return folder


def slurm_jobs() -> list[dict[str, str]]:
    """What Slurm remembers of every job: JobId, JobState, Comment, TresPerJob, Restarts ..."""
    words = ["scontrol", "show", "job", "--oneliner", "--all"]
    shown = subprocess.run(words, capture_output=True, text=True).stdout
    jobs = []
    for line in shown.splitlines():
        fields = re.findall(r"(\S+?)=(.*?)(?=\s+[A-Z][\w/:]*=|\s*$)", line)
        jobs.append(dict(fields))
    return jobs


def jobs_of(run: Run, rule: str) -> list[dict[str, str]]:
    """The Slurm jobs of `run` that ran `rule`, or a group of that name, in order."""
    mine = set(run.submissions())
    found = [job for job in slurm_jobs() if job.get("JobId") in mine]
    named = re.compile(rf"rule_{rule}(_|$)")
    found = [job for job in found if named.match(job.get("Comment", ""))]
    return sorted(found, key=lambda job: int(job["JobId"]))


def slurm(command: str) -> str:
    done = subprocess.run(shlex.split(command), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def wait_for(what, seconds: float, run: Run):
    """What `what()` returns, once that is true; fail if it takes longer or if `run` ends first."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert run.running, f"it ended before: {run.shown[-3000:]}"
        assert time.monotonic() < end, f"not within {seconds} s: {run.shown[-3000:]}"
        time.sleep(0.3)
    return found
