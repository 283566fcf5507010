"""One finished demo run, shared by all tests that ask Snakemake something about it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNAKEMAKE = Path(sys.executable).parent / "snakemake"


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


def snakemake(folder: Path, *words: str, preset: str = "demo", check: bool = True) -> str:
    """Run Snakemake in `folder` and return all that it printed."""
    environment = {k: v for k, v in os.environ.items() if k != "DATA_MIRROR"}
    done = subprocess.run(
        [SNAKEMAKE, "--cores", "2", "--configfile", f"config/{preset}.yaml", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment, "PATH": f"{SNAKEMAKE.parent}:{environment['PATH']}"},
    )
    assert not check or done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def planned(folder: Path, *words: str, preset: str = "demo") -> dict[str, int]:
    """Rule -> number of jobs that a run would do now; `all` left out."""
    shown = snakemake(folder, "--dry-run", *words, preset=preset)
    if "Nothing to be done" in shown:
        return {}
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", shown, flags=re.M | re.S)
    assert table, shown
    jobs = {line.split()[0]: int(line.split()[1]) for line in table[1].strip().splitlines()}
    jobs.pop("all", None)
    return jobs


@pytest.fixture(scope="session")
def demo(repository, tmp_path_factory) -> Path:
    """A copy of the repository with a finished demo run in it. Tests leave it as they found it."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("demo"))
    snakemake(folder)
    return folder


@pytest.fixture
def edited(demo):
    """edited(path, change): change the text of a file of the demo, put back after the test."""
    kept = {}

    def edit(name, change):
        path = demo / name
        kept.setdefault(path, (path.read_bytes(), path.stat()))
        text = path.read_text()
        path.write_text(change(text))
        assert path.read_text() != text, f"the edit changed nothing in {name}"

    yield edit
    for path, (content, stat) in kept.items():
        path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
