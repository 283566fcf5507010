"""Say which Snakemake or training still runs in this folder, before its lock is taken away.

    python workflow/lib/still_running.py        (make unlock)

Snakemake's lock does not say whose it is. After a kill -9 nobody holds it, or a program that
outlived its Snakemake still writes here. Ends with status 1 and a line for each such process. It
sees the processes of this machine alone: on a disk that several share, look on each of them.
"""

import os
import sys
from itertools import pairwise
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
        program = _program(words, folder)
        if program:
            lines.append(f"process {process.pid}: {program}")
    return lines


def _program(words: list[str], folder: Path) -> str | None:
    """What a command line runs, if it is Snakemake or `python -m` a module of `folder`."""
    for before, word in pairwise(["", *words[:4]]):
        if Path(word).name == "snakemake" or word == "workflow/lib/run.py":
            return "snakemake"
        if before == "-m" and Path(folder, "scripts", f"{word.replace('.', '/')}.py").is_file():
            return word
    return None


if __name__ == "__main__":
    found = still_running(Path.cwd().resolve())
    if found:
        print(*found, sep="\n", file=sys.stderr)
        sys.exit(
            "error: these still work in this folder: end them (kill PROCESS; a training saves its"
            " state first), then unlock."
        )
