"""A program's settings: typed, complete in --help, wrong ones refused in one line."""

import json
import subprocess
import sys

import pytest
from pydantic import Field

from pipeline import settings
from pipeline.errors import InputError


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
        ('{"lrr": 1}', "unknown setting 'lrr', did you mean 'lr'"),
        ('{"lr": "fast"}', "lr: Input should be a valid number, found 'fast'"),
        ('{"lr": -1}', "lr: Input should be greater than 0, found -1"),
        ('{"hidden": [1.5]}', "hidden.0: Input should be a valid integer, found 1.5"),
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


PROGRAM = """
from pydantic import Field
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
    assert "lr: float = 0.1" in shown and "learning rate" in shown
    failed = call("--spec", '{"lr": 0}')
    assert failed.returncode == 1
    assert failed.stderr == "error: --spec: lr: Input should be greater than 0, found 0\n"


class Inner(settings.Settings):
    width: int = Field(4, description="of the inside")


class Outer(settings.Settings):
    name: str = Field(description="what it is called")
    inner: Inner = Field(Inner(width=7), description="the inside")
    more: list[Inner] = Field([], description="further ones")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"name": "x", "inner": {"widht": 1}}', "'inner.widht', did you mean 'inner.width'?"),
        ('{"name": "x", "more": [{"wdth": 1}]}', "'more.0.wdth', did you mean 'more.0.width'?"),
        ('{"name": "x", "iner": {}}', "'iner', did you mean 'inner'?"),
        ('{"name": "x", "inner": {"name": 1}}', "unknown setting 'inner.name'"),
        ('{"name": {"a": "' + "b" * 999 + '"}}', "name: Input should be a valid string"),
    ],
)
def test_the_nearest_key_is_that_of_the_same_level(text, says):
    with pytest.raises(InputError) as caught:
        settings.read_spec(text, Outer)
    assert says in str(caught.value) and len(str(caught.value)) < 400
    assert "did you mean 'inner.name'" not in str(caught.value)


def test_help_shows_what_is_required_and_what_is_inside(capsys):
    with pytest.raises(SystemExit):
        settings.arguments("x", Outer, {}, {}, ["--help"])
    shown = capsys.readouterr().out
    assert "name: str (required)" in shown and "inner.width: int = 7\n      of the inside" in shown
    assert "more.*.width: int = 4" in shown and "Undefined" not in shown


@pytest.mark.parametrize("text", ["[" * 100_000, '{"lr": ' + "9" * 5000 + "}", "@a\0b", "@\ud800"])
def test_text_that_no_parser_likes_is_one_line(text):
    with pytest.raises(InputError, match="not JSON|cannot be read") as caught:
        settings.read_spec(text, Spec)
    assert "\n" not in str(caught.value)
