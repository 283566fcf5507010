"""The recorded commit is that of this repository's code, or unknown with the reason."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline import provenance
from pipeline.provenance import changed_since, commit


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


def test_an_edit_during_a_training_is_seen(project):
    repository(project)
    record = {"commit": commit()}
    assert not changed_since(record)
    (project / "program.py").write_text("x = 2\n")
    assert changed_since(record)
    git(project, "commit", "--quiet", "--all", "--message", "second")
    assert changed_since(record)
