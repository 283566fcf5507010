"""The container recipes come from envs/, and what they say to do installs every environment.

No container engine runs here: the commands are carried out among the machine's own files.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from declared import ENVIRONMENTS
from stand_ins import install, install_conda


@pytest.mark.parametrize("name", ["Dockerfile", "apptainer.def"])
def test_the_recipes_are_current(repository, rewritten, name):
    assert (repository / "containers" / name).read_text() == rewritten[name], "make container"


@pytest.fixture(scope="module")
def rewritten(repository, tmp_path_factory):
    """Name -> the recipe as containers/write_recipes.py writes it now."""
    folder = tmp_path_factory.mktemp("recipes")
    venv = tmp_path_factory.mktemp("a clone") / ".venv"
    venv.symlink_to(sys.prefix)
    words = ["containers/write_recipes.py", "--out", folder]
    subprocess.run([venv / "bin" / "python", *words], cwd=repository, check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_dockerfile_is_clean(repository):
    hadolint = repository / ".venv-conda" / "bin" / "hadolint"
    words = [hadolint, repository / "containers" / "Dockerfile"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def image(repository, conda, tmp_path_factory):
    """A folder, in place of an image: the Apptainer recipe's %files and %post carried out in it."""
    folder = tmp_path_factory.mktemp("image")
    text = (repository / "containers" / "apptainer.def").read_text()
    text = text.replace(" /conda-envs", f" {folder}/conda-envs")
    copies, commands = re.fullmatch(r".*\n%files\n(.*)\n%post\n(.*)", text, flags=re.S).groups()
    for line in filter(None, copies.splitlines()):
        source, target = line.split()
        commands = f"mkdir -p {os.path.dirname(target)}\ncp {source} {target}\n{commands}"
    words = ["bash", "-euc", commands]
    subprocess.run(words, cwd=repository, env={**os.environ, **conda}, check=True)
    # As the base image, it has a conda of its own.
    install_conda(folder / "bin", Path(sys.executable))
    return folder


def test_its_commands_install_every_environment(image):
    installed = list((image / "conda-envs").iterdir())
    assert len(installed) == len(ENVIRONMENTS)
    for prefix in installed:
        words = [prefix / "bin/python", "-Ic", "import numpy; print(numpy.__file__)"]
        found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert found.startswith(f"{prefix}/")


def test_a_run_finds_its_environments_in_the_image(make, plain, image, tmp_path):
    folder = shutil.copytree(plain, tmp_path / "run", symlinks=True)
    install(tmp_path / "bin", "apptainer", Path(sys.executable))
    made = "data/processed/planted_motifs/sequences.npz"
    (folder / made).unlink()
    words = [f"CONTAINER={image}", "ARGS=--until prepare_dna --forcerun prepare_dna"]
    make(folder, "run", *words, path=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert (folder / made).read_bytes() == (plain / made).read_bytes()
    job = [call for call in (image / "calls").read_text().splitlines() if "dna.prepare" in call]
    assert job and "/bin/activate '/conda-envs/" in job[0]
    assert not list((folder / ".snakemake/conda").glob("*.yaml"))
