"""A rule names its inputs and outputs as its program names its options."""

import importlib
import re
import shlex

import pytest
from harness import copy_repository, snakemake

from pipeline import settings


class Called(Exception):
    """Carries the names of inputs and outputs of a program out of its main()."""


def options_of(program, monkeypatch):
    """(all options, required ones) of a program: room.name."""

    def arguments(description, spec, inputs, outputs, argv=None):
        raise Called([*inputs, *outputs])

    monkeypatch.setattr(settings, "arguments", arguments)
    with pytest.raises(Called) as caught:
        importlib.import_module(program).main()
    (names,) = caught.value.args
    required = {name.rstrip("*") for name in names if not name.endswith("?")}
    return {"spec", *(name.rstrip("*?") for name in names)}, required


@pytest.fixture(scope="module")
def fresh(repository, tmp_path_factory):
    return copy_repository(repository, tmp_path_factory.mktemp("options"))


@pytest.mark.parametrize("preset", ["demo", "full"])
def test_each_command_gives_the_options_that_its_program_has(fresh, preset, monkeypatch):
    shown = snakemake(fresh, "-n", "-p", "--forceall", preset=preset)
    commands = re.findall(r"^.*python -m (\w+\.\w+) (.*)$", shown, re.M)
    given = {
        program: {word[2:] for word in shlex.split(rest) if re.fullmatch(r"--[a-z-]+", word)}
        for program, rest in commands
    }
    assert len(given) > 25
    for program, options in given.items():
        known, required = options_of(program, monkeypatch)
        assert required <= options <= known, program
