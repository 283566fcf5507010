"""A rule sees the packages of its environment, and of the caller's nothing."""

import json
import os
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from conda_names import PYPI_NAME
from declared import ENVIRONMENTS, imports, rules
from harness import SNAKEMAKE
from packaging.utils import canonicalize_name


@pytest.fixture(scope="session")
def seen(repository, conda, separate) -> dict[str, dict]:
    """Environment -> what tests/conda/probe.py saw in a rule of it."""
    folder = separate[0]
    modules = {name: set() for name in ENVIRONMENTS}
    for _, _, program, environment in rules(repository):
        modules[environment] |= {module for _, module, _ in imports(repository, program)}
    config = {
        "modules": {name: sorted(found) for name, found in modules.items()},
        # `test` is the standard library's too.
        "names": sorted(n for n in packages_distributions() if n.isidentifier() and n != "test"),
    }
    (folder / "probe.yaml").write_text(yaml.safe_dump(config))
    done = subprocess.run(
        [SNAKEMAKE, "-s", "tests/conda/probe.smk", "--configfile", "probe.yaml"]
        + ["--cores", "2", "--sdm", "conda"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **conda},
    )
    assert done.returncode == 0, done.stdout[-5000:]
    # The environments are those of the run: none was made again.
    assert "Creating conda environment" not in done.stdout
    return {name: json.loads((folder / f"probe/{name}.json").read_text()) for name in ENVIRONMENTS}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_its_programs_import_is_there(seen, name):
    assert seen[name]["failed"] == {}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_module_comes_from_the_environment_or_the_standard_library(seen, name):
    prefix, stdlib = seen[name]["prefix"], seen[name]["stdlib"]
    assert "/.snakemake/conda/" in prefix
    for file in seen[name]["files"]:
        from_stdlib = file.startswith(f"{stdlib}/") and "/site-packages/" not in file
        assert file.startswith(f"{prefix}/") or from_stdlib
    outside = [path for path in seen[name]["path"] if not path.startswith(prefix)]
    assert all("site-packages" not in path for path in outside)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_what_was_installed_can_be_imported(seen, name):
    records = (Path(seen[name]["prefix"]) / "conda-meta").glob("*.json")
    installed = {json.loads(record.read_text())["name"] for record in records}
    installed = {PYPI_NAME.get(package, package) for package in installed}
    if "torch" in installed:
        # The package holds what PyPI's torch brings along for GPUs.
        installed |= {"triton", "cuda-bindings", "cuda-pathfinder"}
    for module in seen[name]["found"]:
        packages = map(canonicalize_name, packages_distributions()[module])
        assert any(p in installed or p.startswith("nvidia-") for p in packages), module


def test_part_1_has_no_torch_and_no_snakemake(seen):
    assert not {"torch", "snakemake", "jinja2"} & set(seen["numpy"]["found"])
    assert "torch" in seen["torch"]["found"]
