"""A configuration that is not YAML is named by file, line and column."""

import pytest
from check_yaml import problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1\nb: 2\n", ":2:2: not YAML: "),
        ("a:\n\tb: 1\n", ":2:1: not YAML: "),
        ("- 1\n", "expected keys with values, found list"),
        ("", "expected keys with values, found NoneType"),
    ],
)
def test_the_place_is_named(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    line = problem(path)
    assert line.startswith(str(path)) and words in line and "\n" not in line


def test_what_is_yaml_passes(tmp_path, repository):
    assert problem(repository / "config" / "demo.yaml") is None
    assert "cannot be read" in problem(tmp_path / "none.yaml")
