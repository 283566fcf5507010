"""What make says before and after the programs that it calls; here others stand in for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAILS = """#!/bin/sh
echo Snakemake talks >&2
mkdir -p .snakemake/log
printf 'Error in rule b:\\n    jobid: 2\\n    log: logs/b.log\\n' > \
.snakemake/log/$(date +%Y-%m-%dT%H%M%S).5.snakemake.log
exit 3
"""


@pytest.fixture
def project(repository, tmp_path):
    """The Makefile and what `make run` calls before Snakemake, with programs that pretend."""
    for name in ("workflow/lib", "config", "logs", ".venv/bin"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("Makefile", "workflow/lib/check_yaml.py", "workflow/lib/what_failed.py"):
        (tmp_path / name).write_bytes((repository / name).read_bytes())
    for name in ("config", "demo"):
        (tmp_path / "config" / f"{name}.yaml").write_text(f"run: {name}\n")
    programs = {"python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "snakemake": FAILS}
    for name, text in {**programs, "pip": "#!/bin/sh\n"}.items():
        (tmp_path / ".venv" / "bin" / name).write_text(text)
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess:
    told = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS", "PRESET", "PROFILE"}
    environment = {key: value for key, value in os.environ.items() if key not in told}
    return subprocess.run(
        ["make", *words], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_make_run_says_it_last(project):
    (project / "logs" / "b.log").write_text("error: broken\n")
    done = make(project, "run")
    lines = done.stderr.splitlines()
    assert lines[:2] == ["Snakemake talks", "failed: b: error: broken; log: logs/b.log"]
    assert len(lines) == 3 and lines[2].startswith("make: ***") and "Error 3" in lines[2]


def test_make_says_whether_it_installs_or_updates(project):
    assert make(project, ".venv/ready").stdout == (
        "Bringing .venv up to date with requirements.txt.\n"
    )
    for name in ("bin/snakemake", "ready"):
        (project / ".venv" / name).unlink()
    assert make(project, ".venv/ready").stdout.startswith("Installing the pinned dependencies")
