"""The container recipes come from envs/, and what they say to do installs every environment.

No container engine runs here: the commands are carried out beside the machine's own files.
"""

import os
import re
import subprocess
import sys

import pytest
from declared import ENVIRONMENTS


@pytest.mark.parametrize("name", ["Dockerfile", "apptainer.def"])
def test_the_recipes_are_current(repository, rewritten, name):
    assert (repository / "containers" / name).read_text() == rewritten[name], "make container"


@pytest.fixture(scope="module")
def rewritten(repository, tmp_path_factory):
    """Name -> the recipe as containers/write_recipes.py writes it now."""
    folder = tmp_path_factory.mktemp("recipes")
    words = ["containers/write_recipes.py", "--out", folder]
    subprocess.run([sys.executable, *words], cwd=repository, check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_dockerfile_is_clean(repository):
    hadolint = repository / ".venv-conda" / "bin" / "hadolint"
    words = [hadolint, repository / "containers" / "Dockerfile"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_its_commands_install_every_environment(repository, conda, tmp_path):
    """The sections %files and %post of the Apptainer recipe, under a folder in place of /."""
    text = (repository / "containers" / "apptainer.def").read_text()
    text = text.replace(" /conda-envs", f" {tmp_path}/conda-envs")
    copies, commands = re.fullmatch(r".*\n%files\n(.*)\n%post\n(.*)", text, flags=re.S).groups()
    for line in filter(None, copies.splitlines()):
        source, target = line.split()
        commands = f"mkdir -p {os.path.dirname(target)}\ncp {source} {target}\n{commands}"
    words = ["bash", "-euc", commands]
    subprocess.run(words, cwd=repository, env={**os.environ, **conda}, check=True)
    installed = list((tmp_path / "conda-envs").iterdir())
    assert len(installed) == len(ENVIRONMENTS)
    for prefix in installed:
        words = [prefix / "bin/python", "-Ic", "import numpy; print(numpy.__file__)"]
        found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert found.startswith(f"{prefix}/")
