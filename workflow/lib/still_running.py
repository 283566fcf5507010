"""Say which Snakemake or training still runs in this folder, before its lock is taken away.

    python workflow/lib/still_running.py        (make unlock)

Snakemake's lock does not say whose it is. After a kill -9 nobody holds it, or a program that
outlived its Snakemake still writes here. Ends with status 1 and a line for each such process. It
sees the processes of this machine alone: on a disk that several share, look on each of them.
"""

import os
import sys
from pathlib import Path

import psutil


def still_running(folder: Path) -> list[str]:
    """A line for each process at work in `folder`, but for this one and those that started it."""
    own = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    lines = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if process.pid in own or Path(process.cwd()) != folder:
                continue
        except (psutil.Error, OSError):  # gone meanwhile, or not ours to ask
            continue
        program = next((Path(w).name for w in words[:3] if _ours(w)), None)
        if program:
            lines.append(f"process {process.pid}: {program}")
    return lines


def _ours(word: str) -> bool:
    path = Path(word)
    return path.name == "snakemake" or (path.suffix == ".py" and path.parent.name == "scripts")


if __name__ == "__main__":
    found = still_running(Path.cwd().resolve())
    if found:
        print(*found, sep="\n", file=sys.stderr)
        sys.exit(
            "error: these still work in this folder: end them (kill PROCESS; a training saves its"
            " state first), then unlock."
        )
