"""The environments of envs/ and requirements.txt describe the same packages."""

import ast
import re
import sys

import pytest
import yaml
from code_hash import code_files
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ENVIRONMENTS = ("data", "numpy", "torch", "report")
# conda-forge's name -> PyPI's, and the name to import -> PyPI's, where they differ.
PYPI_NAME = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
IMPORT_NAME = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "PIL": "pillow",
}


def pins(repository):
    """The versions that requirements.txt gives this interpreter."""
    found = {}
    for line in (repository / "requirements.txt").read_text().splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate():
                found[canonicalize_name(requirement.name)] = str(requirement.specifier)[2:]
    return found


def packages(repository, name):
    """Package -> version range of one environment, Python left out."""
    text = (repository / "envs" / f"{name}.yaml").read_text()
    found = {}
    for dependency in yaml.safe_load(text)["dependencies"]:
        package, _, versions = dependency.partition(" ")
        found[PYPI_NAME.get(package, package)] = SpecifierSet(versions)
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_pins_lie_in_the_ranges(repository, name):
    pinned = pins(repository)
    for package, versions in packages(repository, name).items():
        version = (
            ".".join(map(str, sys.version_info[:3])) if package == "python" else pinned[package]
        )
        assert version in versions, f"{package} {version} is not in {versions} of envs/{name}.yaml"


def programs(repository):
    """(rule file, program, environment) of every rule."""
    for path in sorted((repository / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"^ *rule\b", path.read_text(), flags=re.M)[1:]:
            program = re.search(r'script\(\s*"([^"]+)"', rule)
            environment = re.search(r'envs/(\w+)\.yaml"', rule)
            if program:
                assert environment, f"{path.name}: a rule that calls {program[1]} has no conda:"
                yield path.name, program[1], environment[1]


def test_every_program_finds_its_imports_in_its_environment(repository):
    scripts = repository / "scripts"
    seen = set()
    for rules, program, environment in programs(repository):
        available = set(packages(repository, environment))
        for path in code_files(scripts, program):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    modules = [node.module]
                else:
                    continue
                for module in (name.split(".")[0] for name in modules):
                    if module in sys.stdlib_module_names or (scripts / module).exists():
                        continue
                    if (scripts / f"{module}.py").exists():
                        continue
                    package = IMPORT_NAME.get(module, module)
                    assert package in available, f"{rules}: {program} needs {package} ({path.name})"
        seen.add(program)
    assert len(seen) >= 10
