"""Copies of the repository, and what Snakemake does or would do in them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import forks
import yaml
from snakemake.utils import update_config

REPOSITORY = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
# What makes a demo for tests of the one for people.
BRIEF = REPOSITORY / "tests" / "demo" / "brief.yaml"
# What a `make` above the tests was told: not for the makes and Snakemakes that they start.
HANDED_ON = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS", "PRESET", "CORES"}
HANDED_ON |= {"PROFILE", "ROOMS", "CONDA", "CONTAINER", "DATA_MIRROR"}


def copy_repository(repository: Path, target: Path) -> Path:
    """Copy what git tracks, and what it would, to `target`; no data, results or environment."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = repository / name
        if source.is_file() and not name.startswith("results/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    return target


def write_preset(folder: Path, name: str, *changes: Path) -> None:
    """Write the preset and run `name` into a copy: its demo, with `changes` merged over it."""
    config = yaml.safe_load((folder / "config" / "demo.yaml").read_text())
    for change in changes:
        update_config(config, yaml.safe_load(change.read_text()))
    text = yaml.safe_dump({**config, "run": name}, sort_keys=False)
    (folder / "config" / f"{name}.yaml").write_text(text)


def snakemake(
    folder: Path,
    *words: str,
    preset: str = "demo",
    change: dict | None = None,
    check: bool = True,
    programs: Path | None = None,
) -> str:
    """Run Snakemake in `folder`, with `change` merged over the preset; return all it printed.

    programs: the folder whose `python` the jobs run, which Snakemake takes for that of its own
    Python; by default one that runs them as forks (tests/forks.py).
    """
    files = [f"config/{preset}.yaml"]
    if change:
        (folder / "config" / "change.yaml").write_text(yaml.safe_dump(change))
        files.append("config/change.yaml")
    words = ("-m", "snakemake", "--configfile", *files, "--cores", "2", *words)
    environment = {k: v for k, v in os.environ.items() if k not in HANDED_ON}
    if not programs:
        programs = SNAKEMAKE.parent if {"-n", "--dry-run"} & {*words} else forks.shim()
    done = started().run(*words, cwd=folder, env=environment, python=programs / "python")
    (folder / "config" / "change.yaml").unlink(missing_ok=True)
    shown = done.stdout + done.stderr
    assert not check or done.returncode == 0, shown[-5000:]
    return shown


@cache
def started() -> forks.Server:
    """The server of this process for forks that become Snakemake."""
    path = (Path(__file__).parent, REPOSITORY / "workflow" / "lib", REPOSITORY / "scripts")
    return forks.Server("dry_runs", path=path)


def planned(
    folder: Path, *words: str, preset: str = "demo", change: dict | None = None
) -> dict[str, int]:
    """Rule -> number of jobs that a run would do now; `all` left out."""
    shown = snakemake(folder, "--dry-run", *words, preset=preset, change=change)
    return jobs_of(shown)


def pretend(folder: Path, *targets: str, preset: str = "demo", change: dict | None = None) -> None:
    """Finish the run of `preset`, or `targets`, with empty files: stand_in_python makes them."""
    programs = folder / "stand-in"
    programs.mkdir(exist_ok=True)
    stand_in = Path(__file__).with_name("stand_in_python.py").read_text()
    (programs / "stand_in.py").write_text(stand_in)
    # Not `#!{python}`: such a line holds no space and no long path.
    words = shlex.join([sys.executable, "-IS", str(programs / "stand_in.py")])
    (programs / "python").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (programs / "python").chmod(0o755)
    snakemake(folder, *targets, preset=preset, change=change, programs=programs)


def jobs_of(shown: str) -> dict[str, int]:
    """Rule -> number of jobs in what a dry run printed; `all` left out."""
    if "Nothing to be done" in shown:
        return {}
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", shown, flags=re.M | re.S)
    assert table, shown
    jobs = {line.split()[0]: int(line.split()[1]) for line in table[1].strip().splitlines()}
    jobs.pop("all", None)
    return jobs
