"""A program's settings: typed, complete in --help, wrong ones refused in one line."""

import json
import subprocess
import sys
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from pipeline import settings
from pipeline.errors import InputError
from pipeline.read_json import read_json


class Spec(settings.Settings):
    lr: float = Field(0.1, gt=0, description="learning rate")
    hidden: list[int] = Field([8], description="widths")


def test_defaults_and_values():
    spec, _ = settings.read_spec('{"lr": 1, "hidden": [4, 2]}', Spec)
    assert spec.lr == 1 and spec.hidden == [4, 2]
    assert settings.read_spec("{}", Spec)[0].lr == 0.1


def test_from_a_file(tmp_path):
    (tmp_path / "s.json").write_text('{"lr": 0.5}')
    assert settings.read_spec(f"@{tmp_path}/s.json", Spec)[0].lr == 0.5
    with pytest.raises(InputError, match="cannot be read"):
        settings.read_spec(f"@{tmp_path}/none.json", Spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"lrr": 1}', "lrr: unknown key; did you mean 'lr'?"),
        ('{"lr": "fast"}', 'lr: expected a number, found "fast"'),
        ('{"lr": -1}', "lr: expected a number above 0, found -1"),
        ('{"hidden": [1.5]}', "hidden.0: expected a whole number, found 1.5"),
        ("[1]", "expected a JSON object, found list"),
        ("{lr: 1}", "not JSON"),
    ],
)
def test_wrong_settings_are_named(text, message):
    with pytest.raises(InputError) as caught:
        settings.read_spec(text, Spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_key_knows_settings_and_code_but_not_their_order():
    def key(**values):
        return settings.read_spec(json.dumps(values), Spec)[1]

    assert key(lr=1.0, code="a") == settings.read_spec('{"code": "a", "lr": 1.0}', Spec)[1]
    assert len({key(lr=1.0, code="a"), key(lr=2.0, code="a"), key(lr=1.0, code="b")}) == 3


def test_a_missing_input_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--data: no such file: .*none\.npz"):
        settings.arguments(
            "x", Spec, {"data": "arrays"}, {}, ["--data", str(tmp_path / "none.npz")]
        )


def test_a_name_in_capitals_is_a_word_that_people_type(tmp_path):
    (tmp_path / "new.fasta").touch()
    words = [str(tmp_path / "new.fasta"), "--out", str(tmp_path / "out.csv")]
    args = settings.arguments("x", Spec, {"FILE": "sequences"}, {"out": "scores"}, words)
    assert (args.file.name, args.out.name) == ("new.fasta", "out.csv")
    with pytest.raises(InputError, match="^FILE: no such file: .*none"):
        settings.arguments("x", Spec, {"FILE": "sequences"}, {}, [str(tmp_path / "none")])


PROGRAM = """
from pydantic import Field, ValidationError
from pipeline import settings
class Spec(settings.Settings):
    lr: float = Field(0.1, gt=0, description="learning rate")
def main():
    settings.arguments("Train.", Spec, {}, {"out?": "the model"})
if __name__ == "__main__":
    settings.run(main)
"""


def test_a_program_prints_its_settings_and_one_line_for_an_error(repository, tmp_path):
    (tmp_path / "p.py").write_text(PROGRAM)

    def call(*words):
        return subprocess.run(
            [sys.executable, tmp_path / "p.py", *words],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(repository / "scripts")},
        )

    shown = call("--help").stdout
    assert "lr: number, above 0; default 0.1" in shown and "learning rate" in shown
    failed = call("--spec", '{"lr": 0}')
    assert failed.returncode == 1
    assert failed.stderr == "error: --spec: lr: expected a number above 0, found 0\n"


class Inner(settings.Settings):
    width: int = Field(4, description="of the inside")


class Outer(settings.Settings):
    name: str = Field(description="what it is called")
    inner: Inner = Field(Inner(width=7), description="the inside")
    more: list[Inner] = Field([], description="further ones")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"name": "x", "inner": {"widht": 1}}', "inner.widht: unknown key; did you mean 'width'?"),
        ('{"name": "x", "more": [{"wdth": 1}]}', "more.0.wdth: unknown key; did you mean 'width'?"),
        ('{"name": "x", "iner": {}}', "iner: unknown key; did you mean 'inner'?"),
        ('{"name": "x", "inner": {"name": 1}}', "inner.name: unknown key; known: width"),
        ('{"name": {"a": "' + "b" * 999 + '"}}', "name: expected text, found {"),
    ],
)
def test_the_nearest_key_is_that_of_the_same_level(text, says):
    with pytest.raises(InputError) as caught:
        settings.read_spec(text, Outer)
    assert says in str(caught.value) and len(str(caught.value)) < 400


def test_help_shows_what_is_required_and_what_is_inside(capsys):
    with pytest.raises(SystemExit):
        settings.arguments("x", Outer, {}, {}, ["--help"])
    shown = capsys.readouterr().out
    assert "name: text; required" in shown
    assert "inner.width: whole number; default 7\n      of the inside" in shown
    assert "more.*.width: whole number; default 4" in shown and "Undefined" not in shown


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (settings.Seed, "whole number, at least 0 and below 4294967296"),
        (settings.Seeds | None, "null or list of 1 or more: whole number, at least 0 and below"),
        (Annotated[int, Field(ge=1, le=64)], "whole number, 1 to 64"),
        (Annotated[float, Field(gt=0)] | bool, "number, above 0 or true or false"),
        (Literal["a", "b"] | None, 'null or "a" or "b"'),
        (dict[str, Inner], "keys: settings"),
    ],
)
def test_help_says_types_in_words(annotation, words):
    assert settings.kind(annotation).startswith(words)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"lr": ' + "9" * 5000 + "}", "@a\0b", "@\ud800"])
def test_text_that_no_parser_likes_is_one_line(text):
    with pytest.raises(InputError, match="not JSON|cannot be read") as caught:
        settings.read_spec(text, Spec)
    assert "\n" not in str(caught.value)


class Kinds(settings.Settings):
    """A field for each kind of value."""

    whole: int | None = None
    number: float = 1.0
    truth: bool = True
    text: Annotated[str, Field(min_length=2)] = "ab"
    choice: Literal["a", "b"] = "a"
    one_or_more: Annotated[int, Field(ge=0)] | list[Annotated[int, Field(ge=0)]] = 0
    sizes: Annotated[list[int], Field(min_length=1)] = [1]
    named: dict[Annotated[str, settings.text_of("[a-z]+", "small letters")], Inner] = {}


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("whole", 2.0, "whole: expected a whole number, found 2.0"),
        ("whole", True, "whole: expected a whole number, found true"),
        ("number", float("nan"), "number: expected a finite number, found NaN"),
        ("number", "1e-3", 'found "1e-3" (text, as YAML reads it: write 1.0e-3; within --config'),
        ("number", "2.5e4", 'found "2.5e4" (text, as YAML reads it: write 2.5e+4; within --config'),
        (
            "number",
            "0.1",
            'a number, found "0.1" (text, as YAML reads it: write it without quotes; within',
        ),
        (
            "truth",
            "true",
            'expected true or false, found "true" (text, as YAML reads it: write it without',
        ),
        ("text", "a", "text: expected text of 2 or more letters, found"),
        ("choice", "c", "choice: expected 'a' or 'b', found \"c\""),
        ("one_or_more", "x", 'one_or_more: expected a whole number or a list, found "x"'),
        ("one_or_more", [1, 1.0], "one_or_more.1: expected a whole number, found 1.0"),
        ("one_or_more", [-1], "one_or_more.0: expected at least 0, found -1"),
        ("sizes", [], "sizes: expected a list of 1 or more, found []"),
        ("named", {"A": {}}, "named.A: expected as a key small letters"),
        ("named", {"a": {"width": 0.5}}, "named.a.width: expected a whole number, found 0.5"),
        ("named", 3, "named: expected keys with values, found 3"),
        (1, 2, "1: unknown key; known: whole, number"),
    ],
)
def test_a_problem_is_one_line_in_plain_words(key, value, line):
    with pytest.raises(ValidationError) as caught:
        Kinds.model_validate({key: value})
    lines = settings.problems(caught.value, Kinds)
    assert len(lines) == 1 and line in lines[0]


@pytest.mark.parametrize("kind", ["folder", "loop", "none"])
def test_an_input_that_is_no_file_is_no_traceback(tmp_path, kind):
    path = tmp_path / "data.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    with pytest.raises(SystemExit, match="^error: .*data.json"):
        settings.run(path.read_text)


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1', "{}", "\xff"])
def test_a_damaged_json_file_is_named(tmp_path, content):
    path = tmp_path / "ranking.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="ranking.json: expected a JSON object with b, .*Make it"):
        read_json(path, ["b"])
