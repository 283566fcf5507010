"""The packages of scripts/ are installed under names that nobody else uses, beside locked pins."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import packages_distributions

import pytest
from harness import copy_repository
from install import blocks

PROJECT = "neural-networks-and-transformers"


@pytest.fixture(scope="session")
def pyproject(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text())


def rooms(repository):
    return {path.parent.name for path in (repository / "scripts").glob("*/__init__.py")}


def test_every_room_is_installed(repository, pyproject):
    assert set(pyproject["tool"]["setuptools"]["packages"]) == rooms(repository)
    assert set(pyproject["tool"]["ruff"]["lint"]["isort"]["known-first-party"]) == rooms(repository)
    assert not list((repository / "scripts").glob("*.py")), "a program at the top of scripts/"


def test_no_room_has_the_name_of_another_package(repository):
    others = {name for name, owners in packages_distributions().items() if owners != [PROJECT]}
    # Names of packages that people of the field install beside this project.
    others |= {
        "datasets",
        "models",
        "evaluate",
        "data",
        "transformers",
        "tokenizers",
        "gym",
        "utils",
    }
    assert not rooms(repository) & (others | sys.stdlib_module_names)


def test_a_learner_imports_what_make_installed(repository, tmp_path):
    """Offline, where the packages are there already, by pip: there is no program uv."""
    folder = copy_repository(repository, tmp_path / "a clône")
    venv.create(folder / ".venv")
    site = next((folder / ".venv" / "lib").glob("python*/site-packages"))
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    # As a person types it: without what a test or make puts into the environment.
    left_out = {"PYTHONPATH", "PYTHONSAFEPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["LC_ALL"] = "C"  # Python reads .pth files in its encoding
    # Nothing may be fetched: neither a package nor a build backend.
    around = {"cwd": folder, "env": environment | {"PIP_NO_INDEX": "1"}, "text": True}
    done = subprocess.run(["make", ".venv/ready"], capture_output=True, **around)
    assert done.returncode == 0 and "pip takes its place" in done.stdout, done.stderr
    words = "from numpy_nn import Linear; import gpt, numpy_nn; print(numpy_nn.__file__)"
    command = [folder / ".venv/bin/python", "-c", words]
    learner = subprocess.run(command, capture_output=True, **{**around, "cwd": tmp_path})
    assert learner.stdout == f"{folder}/scripts/numpy_nn/__init__.py\n", learner.stderr
    nn = subprocess.run(
        [folder / ".venv/bin/nn", "runs"], capture_output=True, **{**around, "cwd": tmp_path}
    )
    assert (nn.returncode, "no run is there yet" in nn.stderr) == (1, True), nn.stderr
    assert subprocess.run(["make", "--question", ".venv/ready"], **around).returncode == 0


def test_every_target_that_is_no_file_is_phony(repository):
    text = (repository / "Makefile").read_text().replace("\\\n", " ")
    phony = set(re.search(r"^\.PHONY: (.*)$", text, flags=re.M)[1].split())
    targets = set(re.findall(r"^([\w-]+):(?!=)", text, flags=re.M))
    assert targets == phony


def test_every_pin_of_every_file_has_hashes(repository):
    files = sorted(repository.glob("requirements*.txt"))
    assert {path.stem for path in files} == {
        path.stem for path in repository.glob("requirements*.in")
    }
    for path in files:
        pinned = blocks(path.read_text())
        assert len(pinned) == len(re.findall(r"^[^\s#]", path.read_text(), flags=re.M)), path
        assert all("--hash=sha256:" in text for _, text in pinned), path
