"""What surrounds a run must not change it: a hostile environment, for each way to start one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from harness import copy_repository

BIN = Path(sys.executable).parent
SNEAKY = "echo from BASH_ENV; exit 3"
MINE = {
    "run": "mine",
    "rooms": ["mlp"],
    "mlp": {
        "dataset": "digits",
        "flips": False,
        "models": ["wide"],
        "recipes": {"wide": {"hidden": [8]}},
        "final": {"wide": {"epochs": 1, "seeds": [1], "fold_models": 0}},
        "ensemble": {"members": []},
    },
}


def hostile(folder: Path) -> dict[str, str]:
    """What Jupyter, GitHub's runners, other people's shells and odd terminals leave behind."""
    (folder / "bash_env").write_text(SNEAKY)
    return {
        "PATH": "/usr/bin:/bin",  # .venv is not active
        "BASH_ENV": str(folder / "bash_env"),
        "CONDA": "/usr/share/miniconda",
        "CORES": "0",
        "PRESET": "nonsense",
        "ARGS": "--nonsense",
        "CDPATH": "/",
        "COLUMNS": "many",
        "LINES": "0",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "LANG": "tr_TR.ISO-8859-9",
        "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii",
        "PYTHONHASHSEED": "7",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "OMP_NUM_THREADS": "none",
        "GIT_DIR": "/nonexistent",
        "TMPDIR": "/nonexistent",
    }


@pytest.fixture(scope="module")
def clone(repository, tmp_path_factory):
    """A copy with a space in its path, and its .venv."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("a clone"))
    (folder / ".venv").symlink_to(BIN.parent)
    (folder / "config" / "mine.yaml").write_text(yaml.safe_dump(MINE))
    return folder


def run(folder, *words, **environment):
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_snakemake_by_hand_runs_its_own_python_and_draws(clone, tmp_path):
    words = ["--configfile", "config/mine.yaml", "--cores", "1", "--until", "draw_figures"]
    home = {"HOME": str(tmp_path)}
    status, said = run(clone, ".venv/bin/snakemake", *words, **hostile(tmp_path), **home)
    assert status == 0, said
    log = (clone / "results/mine/logs/draw_figures.log").read_text()
    assert list((clone / "results/mine/figures/confusion").iterdir()) and "Warning" not in log


def test_make_needs_no_home_and_takes_no_words_from_the_environment(clone, tmp_path):
    # What Python and pip themselves would break on, before anything of ours can run.
    worse = {
        "PYTHONHOME": "/nonexistent",
        "PYTHONSAFEPATH": "1",
        "PIP_USER": "1",
        "HOME": "/proc/x",
    }
    words = ["PRESET=mine", "CORES=1", "ARGS=--dry-run"]
    ready = os.environ | hostile(tmp_path) | worse
    for name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"):
        ready.pop(name, None)
    status, said = run(clone, "make", "--old-file=.venv/ready", "run", *words, **ready)
    assert status == 0 and "This was a dry-run" in said, said


@pytest.mark.parametrize("columns", ["", "1", "many", "-5", "0"])
def test_a_program_by_hand(clone, tmp_path, columns):
    names = hostile(tmp_path) | {"PYTHONPATH": "scripts", "COLUMNS": columns}
    del names["PYTHONWARNINGS"]  # those of other packages
    program = [sys.executable, "-m", "reporting.print_leaderboard", "results/reference"]
    (clone / "results").mkdir(exist_ok=True)
    status, said = run(clone, *program, **names)
    assert status == 0, said
    status, said = run(clone, sys.executable, "-m", "mlp.select", "--help", **names)
    assert status == 0 and "Traceback" not in said


def test_what_a_job_inherits(repository):
    """No name of Python's, of bash's or of Matplotlib's but those that are set."""
    rules = (repository / "workflow" / "rules" / "common.smk").read_text()
    block = rules[
        rules.index("for name in [*os.environ]:") : rules.index("# Where the raw files may")
    ]
    before = {
        "PYTHONINSPECT": "1",
        "PYTHONPATH": "kept",
        "BASH_ENV": "x",
        "HOME": "/h",
        "PATH": "/p",
    }

    class System:
        environ, path, pathsep, defpath = dict(before), os.path, os.pathsep, os.defpath

    exec(block, {"os": System, "sys": sys})
    found = System.environ
    assert found["PATH"] == f"{BIN}:/p" and found["HOME"] == "/h" and found["LC_ALL"] == "C"
    assert not {"PYTHONINSPECT", "BASH_ENV"} & {*found} and found["PYTHONPATH"] == "kept"
