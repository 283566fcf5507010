"""A configuration that is not YAML is named by file, line and column."""

import pytest
from check_yaml import problem, shared_run


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


def test_presets_that_write_into_one_folder_are_warned_about(tmp_path):
    texts = {"config": "run: standard\nmlp: 1\n", "demo": "run: demo\n", "copy": "run: demo\n"}
    texts |= {"unnamed": "mlp: 2\n", "own": "run: own\n", "datasets": "cifar10: {}\n"}
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    assert "'demo', as in demo.yaml" in shared_run(tmp_path / "copy.yaml")
    assert "'standard', as in config.yaml" in shared_run(tmp_path / "unnamed.yaml")
    assert shared_run(tmp_path / "own.yaml") is None
    assert shared_run(tmp_path / "datasets.yaml") is None


def test_the_presets_of_this_repository_share_no_folder(repository):
    for name in ("config", "demo", "smoke", "full"):
        assert shared_run(repository / "config" / f"{name}.yaml") is None


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "more than 100000 values, aliases written out"),
        ("a: &a [*a]\n", "an alias that stands for itself"),
        ("a: 2026-13-45\n", "month must be in 1..12"),
        ("a: " + "[" * 5000, "recursion"),
        ("a: !!bool perhaps\n", "perhaps"),
        ("__use_yte__: true\na: ?__import__('os').system('true')\n", "__use_yte__"),
    ],
)
def test_yaml_that_no_later_step_should_see(tmp_path, text, says):
    (tmp_path / "x.yaml").write_text(text)
    line = problem(tmp_path / "x.yaml")
    assert line and says in line and "\n" not in line
