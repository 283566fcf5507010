"""A configuration that is not YAML, or has a key twice, is named by file, line and column."""

import subprocess
import sys

import pytest
import yaml
from check_yaml import problem, read, shared_run


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


BOTH = "stands here twice (first in line 1); keep one of them"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "run: x\n\nmlp:\n  a: 1\nmlp:\n  b: 2\n",
            ":5:1: the key 'mlp' stands here twice (first in line 3); join the two",
        ),
        ("a: 1\nb: [{c: 1, d: 2}]\na: 2\n", f":3:1: the key 'a' {BOTH}"),
        ("a: {b: 1, c: [1, {d: 2, d: 2}]}\n", f":1:25: the key 'd' {BOTH}"),
        ("yes: {a: 1}\n'b': 1\ntrue: 2\n", f":3:1: the key 'true' {BOTH}"),
        (
            "own: &own\n  <<: {a: 1}\n  a: 2\n  a: 3\nb: {<<: *own}\n",
            ":4:3: the key 'a' stands here twice (first in line 3); keep one of them",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path, text, words):
    (tmp_path / "mine.yaml").write_text(text)
    assert problem(tmp_path / "mine.yaml") == f"{tmp_path / 'mine.yaml'}{words}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {x: 1}\nb: {x: 1}\nx: 1\n'1': 1\n1: 2\n", None),
        ("a: &a {x: 1, y: 2}\nb: &b\n  <<: *a\n  x: 3\nc: {<<: [*b, *a], y: 4}\n", None),
        ("a: &a {x: 1}\nb: {<<: *a, <<: {y: 2}, x: 3}\n", {"x": 3, "y": 2}),
        ("=: 1\nb: 2\n", 2),
    ],
)
def test_keys_that_stand_once_or_come_by_a_merge_pass(tmp_path, text, value):
    (tmp_path / "mine.yaml").write_text(text)
    found, line = read(tmp_path / "mine.yaml")
    assert line is None and found == yaml.safe_load(text)
    assert value is None or found["b"] == value


def test_the_program_refuses_what_has_a_key_twice(tmp_path, repository):
    (tmp_path / "mine.yaml").write_text("run: a\nrun: b\n")
    program = repository / "workflow" / "lib" / "check_yaml.py"
    done = subprocess.run(
        [sys.executable, program, "mine.yaml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, f"error: mine.yaml:2:1: the key 'run' {BOTH}\n")


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
