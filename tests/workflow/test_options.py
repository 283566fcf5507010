"""A rule names its inputs and outputs as its program names its options."""

import ast
import re
import shlex

import pytest
from harness import copy_repository, snakemake

from pipeline import weights


def options_of(program):
    """(all options, required ones) of a program, from its call of settings.arguments."""
    for node in ast.walk(ast.parse(program.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "arguments":
            given = {word.arg: word.value for word in node.keywords}
            # Literals, but for the outputs that all trainings share.
            shared = {"TRAINING_OUTPUTS": weights.TRAINING_OUTPUTS, "__doc__": ""}
            text = f"[*{ast.unparse(given['inputs'])}, *{ast.unparse(given['outputs'])}]"
            names = eval(re.sub(r'\bf"[^"]*"|f\'[^\']*\'', "''", text), shared)
            return (
                {"spec", *(name.rstrip("*?") for name in names)},
                {name.rstrip("*") for name in names if not name.endswith("?")},
            )
    raise AssertionError(f"{program}: no call of settings.arguments")


@pytest.fixture(scope="module")
def fresh(repository, tmp_path_factory):
    return copy_repository(repository, tmp_path_factory.mktemp("options"))


@pytest.mark.parametrize("preset", ["demo", "full"])
def test_each_command_gives_the_options_that_its_program_has(fresh, preset):
    shown = snakemake(fresh, "-n", "-p", "--forceall", preset=preset)
    commands = re.findall(r"^.*python -m (\w+)\.(\w+) (.*)$", shown, re.M)
    assert len({program for _, program, _ in commands}) > 25
    for room, program, rest in commands:
        known, required = options_of(fresh / "scripts" / room / f"{program}.py")
        given = {word[2:] for word in shlex.split(rest) if re.fullmatch(r"--[a-z-]+", word)}
        assert required <= given <= known, f"{room}.{program}"
