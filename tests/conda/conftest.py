"""A local channel, a conda to install from it, and one brief run without and one with it."""

import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import HANDED_ON, copy_repository, write_preset
from stand_ins import install_conda

HERE = Path(__file__).parent
PRESET = "brief"


@pytest.fixture(scope="session")
def conda(repository, tmp_path_factory) -> dict[str, str]:
    """What the environment of a command must hold: a conda on PATH, and its channel.

    Also of a caller whose own packages are on PYTHONPATH: they must not come into a rule.
    """
    python = repository / ".venv-conda" / "bin" / "python"
    assert python.exists(), "make test-conda creates .venv-conda"
    root = tmp_path_factory.mktemp("conda")
    install_conda(root / "bin", python)
    site = sysconfig.get_path("purelib")
    words = [HERE / "channel.py", "--site", site, "--out", root / "channels" / "conda-forge"]
    # channel.py imports a module of its own folder.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    words += (repository / "envs").glob("*.yaml")
    subprocess.run([python, *words], check=True, env=environment)
    return {
        "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
        "CONDA_CHANNEL_ALIAS": (root / "channels").as_uri(),
        "CONDA_PKGS_DIRS": str(root / "pkgs"),
        "PYTHONPATH": site,
    }


@pytest.fixture(scope="session")
def make(repository, conda) -> Callable[..., str]:
    """make(folder, *words): run `make` on the brief preset there; return all it printed.

    fails: it must end with an error. path: another PATH than that with conda on it.
    """

    environment = {name: value for name, value in os.environ.items() if name not in HANDED_ON}

    def run(folder: Path, *words: str, fails: bool = False, path: str = "") -> str:
        done = subprocess.run(
            ["make", f"PRESET={PRESET}", "CORES=2", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, **conda, "PATH": path or conda["PATH"]},
        )
        assert (done.returncode != 0) == fails, done.stdout[-5000:]
        return done.stdout

    return run


def brief_copy(repository: Path, folder: Path) -> Path:
    """A copy of the repository that has the brief preset and this environment's .venv."""
    copy_repository(repository, folder)
    write_preset(folder, PRESET, HERE / "brief.yaml")
    (folder / ".venv").symlink_to((repository / ".venv").resolve())
    return folder


@pytest.fixture(scope="session")
def plain(repository, make, tmp_path_factory) -> Path:
    """A finished brief run, all of it in .venv. Tests leave it as they found it."""
    folder = brief_copy(repository, tmp_path_factory.mktemp("plain"))
    make(folder, "run")
    return folder


@pytest.fixture(scope="session")
def separate(repository, make, tmp_path_factory) -> tuple[Path, str]:
    """A finished brief run, each rule in its environment, and what it printed."""
    folder = brief_copy(repository, tmp_path_factory.mktemp("separate"))
    return folder, make(folder, "run", "CONDA=1", "ARGS=--printshellcmds")
