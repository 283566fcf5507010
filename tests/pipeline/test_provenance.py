"""The recorded commit is that of this repository's code, or unknown with the reason."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from forks import python

from pipeline import provenance
from pipeline.provenance import commit


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def repository(folder: Path) -> str:
    """Make a repository with a program and a reference result; return its commit."""
    (folder / "results" / "reference").mkdir(parents=True)
    (folder / "results" / "reference" / "board.csv").write_text("1\n")
    (folder / "program.py").write_text("x = 1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return git(folder, "rev-parse", "--short=12", "HEAD")


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setattr(provenance, "REPOSITORY", folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return folder


def test_a_clean_tree_and_an_edited_one(project):
    head = repository(project)
    assert commit() == head
    (project / "notes.txt").write_text("not tracked\n")
    assert commit() == head
    (project / "program.py").write_text("x = 2\n")
    assert commit() == f"{head}-dirty"


def test_results_are_no_code(project, tmp_path):
    head = repository(project)
    (project / "results" / "reference" / "board.csv").write_text("2\n")
    assert commit() == head
    shutil.move(project / "results", tmp_path / "large disk")
    (project / "results").symlink_to(tmp_path / "large disk")
    assert commit() == head


def test_an_archive_unpacked_in_another_repository(project, monkeypatch):
    repository(project)
    inner = project / "unpacked"
    inner.mkdir()
    monkeypatch.setattr(provenance, "REPOSITORY", inner)
    assert commit() == "unknown (only a folder of another git repository)"


@pytest.mark.parametrize("inside", [True, False])
def test_a_caller_that_points_git_elsewhere(project, tmp_path, monkeypatch, inside):
    head = repository(project) if inside else None
    (tmp_path / "other").mkdir()
    repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert commit() == (head or "unknown (no git repository)")


def test_a_repository_without_a_commit(project):
    git(project, "init", "--quiet")
    assert commit() == "unknown (no commit yet)"


def test_git_may_be_missing_or_refuse(project, tmp_path, monkeypatch):
    repository(project)
    (tmp_path / "git").write_text(
        "#!/bin/sh\necho 'fatal: detected dubious ownership in repository at /x' >&2\nexit 128\n"
    )
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert commit().startswith("unknown (git refuses a folder of another user")
    monkeypatch.setenv("PATH", str(project))
    assert commit() == "unknown (git is not installed)"


def test_kernels_are_those_of_openblas_until_pytorch_is_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    pools = [{"internal_api": "openmp"}, {"internal_api": "openblas", "architecture": "SkylakeX"}]
    monkeypatch.setattr(provenance, "threadpool_info", lambda: pools)
    assert provenance.kernels() == "AVX-512, float32"
    assert provenance.provenance(1)["kernels"] == "AVX-512, float32"
    pools[1]["architecture"] = "neoversen1"
    assert provenance.kernels() == "neoversen1, float32"
    pools.clear()
    assert provenance.kernels() == "unknown, float32"


@pytest.mark.parametrize(
    ("device", "precision", "units", "told"),
    [
        ("cpu", "float32", {"amx_bf16": True}, "AVX-512, float32"),
        ("cpu", "bfloat16", {"amx_bf16": True}, "AMX, bfloat16"),
        ("cpu", "bfloat16", {"amx_bf16": False}, "AVX-512, bfloat16"),
        ("cpu", "bfloat16", None, "AVX-512, bfloat16"),
        ("cuda", "bfloat16", {}, "Example GPU, bfloat16"),
    ],
)
def test_kernels_of_pytorch_by_device_and_precision(monkeypatch, device, precision, units, told):
    """units: None as an older PyTorch, which does not know them."""
    cpu = {} if units is None else {"get_capabilities": lambda: units}
    torch = SimpleNamespace(
        cpu=SimpleNamespace(**cpu),
        cuda=SimpleNamespace(get_device_name=lambda: "Example GPU"),
        backends=SimpleNamespace(cpu=SimpleNamespace(get_cpu_capability=lambda: "AVX512")),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert provenance.kernels(device, precision) == told
    assert provenance.provenance(1, device, precision=precision)["kernels"] == told


PROGRAM = """
import sys
from pathlib import Path
from pipeline.checkpoint import Checkpoint
from pipeline.provenance import commit
from pipeline.training_run import TrainingRun
from room.parts import Parts

edited = Path(sys.argv[2])
origin = {"commit": commit()}
run = TrainingRun(sys.argv[1], Parts(), Checkpoint(sys.argv[3], "key"), 4, provenance=origin)
for step in run:
    if step == 1:
        edited.write_text(edited.read_text() + "# edited\\n")
    if step == 2 and "stop" in sys.argv:
        run._save(run.checkpoint)
        sys.exit(1)
run.finish()
"""
PARTS = """
class Parts:
    def state(self):
        return {}, None

    def load_state(self, arrays, meta):
        pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize(
    ("edited", "changed"),
    [("room/train.py", True), ("room/parts.py", True), ("room/other.py", False)],
)
@pytest.mark.parametrize("stopped", [False, True])
def test_an_edit_during_a_training_is_recorded(tmp_path, dirty, edited, changed, stopped):
    """Of the code that runs, in a clean tree and in one that was dirty before; not of other code.

    stopped: the training is edited in its first process and ends in a second one.
    """
    scripts = tmp_path / "scripts"
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(provenance.__file__).parent, scripts / "pipeline", ignore=compiled)
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    (scripts / "room").mkdir()
    for name, text in {"train": PROGRAM, "parts": PARTS, "other": ""}.items():
        (scripts / "room" / f"{name}.py").write_text(text)
    head = repository(tmp_path)
    if dirty:
        (scripts / "room" / "train.py").write_text(PROGRAM + "# dirty\n")
        head += "-dirty"
    history = tmp_path / "history.json"
    words = ["-m", "room.train", history, scripts / edited, tmp_path / "checkpoint"]
    place = {"env": {**os.environ, "PYTHONPATH": str(scripts)}, "cwd": scripts}
    if stopped:
        assert python(*words, "stop", **place).returncode == 1
    done = python(*words, **place)
    assert done.returncode == 0, done.stderr
    record = json.loads(history.read_text())["provenance"]
    assert record.get("code_changed_meanwhile", False) is changed
    if not stopped:
        assert record["commit"] == head, "what it was when the job started"
