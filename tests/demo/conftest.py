"""One finished demo run, shared by all tests that ask Snakemake something about it."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from harness import BRIEF, copy_repository, snakemake, write_preset


@pytest.fixture(scope="session")
def demo(repository, tmp_path_factory) -> Path:
    """A copy of the repository with a finished brief demo, which tests leave as they found it.

    The first worker that comes here runs it; each has a copy of its own.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    finished = shared / "finished-demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            folder = copy_repository(repository, tmp_path_factory.mktemp("demo") / "run")
            write_preset(folder, "demo", BRIEF)
            snakemake(folder)
            folder.rename(finished)
    return shutil.copytree(finished, tmp_path_factory.mktemp("demo") / "copy", symlinks=True)


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
