"""What a run that was hit must not leave behind, and what the hits must have shown."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from hits import TURNS
from run import Kill
from safetensors.numpy import load_file

from pipeline.npz import read_npz

READERS = {
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".csv": lambda path: list(csv.reader(path.open(newline="", encoding="utf-8"), strict=True)),
    ".npz": read_npz,
    ".npy": lambda path: np.load(path, allow_pickle=False),
    ".safetensors": load_file,
    ".svg": ElementTree.parse,
}


def unreadable(folder: Path) -> list[str]:
    """A line for each file of a result or of data, by its final name, that is not whole."""
    lines = []
    for path in (*folder.glob("results/**/*"), *folder.glob("data/**/*")):
        finished = not _hidden(path.relative_to(folder)) or _kept(path)
        if path.is_file() and finished and path.suffix in READERS:
            try:
                READERS[path.suffix](path)
            except Exception as error:  # whatever a reader says of a half-written file
                lines.append(f"{path.relative_to(folder)}: not whole: {error}")
    return lines


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _kept(path: Path) -> bool:
    return ".kept" in path.parts and not path.name.startswith(".")


def left_over(folder: Path) -> list[str]:
    """A line for each lock, temporary file or checkpoint that a finished run must not have."""
    hidden = [
        path
        for top in ("results", "data")
        for path in (folder / top).rglob("*")
        # Scores of the race are kept on purpose; a half-written one has a name that is hidden too.
        if path.is_file() and _hidden(path.relative_to(folder)) and not _kept(path)
    ]
    snakemakes = [
        path
        for name in ("locks", "incomplete")
        for path in (folder / ".snakemake" / name).rglob("*")
        if path.is_file()
    ]
    return [f"{path.relative_to(folder)}: left over" for path in (*hidden, *snakemakes)]


def hollow(kills: list[Kill], trainings: set[str]) -> list[str]:
    """A line for each hit that shows nothing, and for each that is missing."""
    lines = [f"{kill.job}: hit before it began" for kill in kills if kill.cpu_seconds <= 0]
    for rule in sorted(trainings):
        of_rule = [k for k in kills if k.target == "job" and k.job.split("/")[0] == rule]
        if not any(k.signal == "TERM" and k.after == "resumed" for k in of_rule):
            lines.append(f"{rule}: never resumed after SIGTERM")
        if not any(k.signal == "KILL" and k.checkpoint and k.after == "resumed" for k in of_rule):
            lines.append(f"{rule}: never resumed after SIGKILL")
    hit = {kill.after for kill in kills if kill.target == "snakemake"}
    lines += [
        f"jobs that outlived Snakemake: none to {x}" for x in TURNS if f"its jobs: {x}" not in hit
    ]
    if sum(kill.signal == "KILL" for kill in kills) < 30:
        lines.append("fewer than 30 kills hit")
    return lines
