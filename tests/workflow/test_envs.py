"""The environments of envs/ and requirements.txt describe the same packages."""

import sys

import pytest
from declared import ENVIRONMENTS, imports, packages, rules
from install import blocks
from packaging.requirements import Requirement


def pins(repository):
    """The versions that requirements.txt gives this interpreter."""
    found = {}
    for name, text in blocks((repository / "requirements.txt").read_text()):
        requirement = Requirement(text.partition(" \\\n")[0])
        if requirement.marker is None or requirement.marker.evaluate():
            found[name] = str(requirement.specifier)[2:]
    return found


def test_every_environment_is_known(repository):
    assert {path.stem for path in (repository / "envs").iterdir()} == set(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_pins_lie_in_the_ranges(repository, name):
    pinned = pins(repository)
    for package, versions in packages(repository, name).items():
        version = (
            ".".join(map(str, sys.version_info[:3])) if package == "python" else pinned[package]
        )
        assert version in versions, f"{package} {version} is not in {versions} of envs/{name}.yaml"


@pytest.mark.slow
def test_every_program_finds_its_imports_in_its_environment(repository):
    seen = set()
    for file, _, program, environment in rules(repository):
        assert environment, f"{file}: a rule that calls {program} has no conda:"
        available = set(packages(repository, environment))
        for path, _, package in imports(repository, program):
            assert package in available, f"{file}: {program} needs {package} ({path})"
        seen.add(program)
    assert len(seen) >= 10
