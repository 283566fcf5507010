"""The code hash sees what runs, through every import, and nothing that does not."""

import pytest
from code_hash import code_files, code_hash


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("")
    (tmp_path / "lib" / "deep.py").write_text('"""Deep."""\nX = 1\n')
    (tmp_path / "lib" / "middle.py").write_text("from . import deep\nfrom .deep import X\n")
    (tmp_path / "lib" / "other.py").write_text("Y = 1\n")
    (tmp_path / "a.py").write_text("import json\n\nfrom lib.middle import X\n\nprint(X)\n")
    (tmp_path / "b.py").write_text("import lib.other\n")

    def hashes():
        code_files.cache_clear()
        code_hash.cache_clear()
        return code_hash(tmp_path, "a"), code_hash(tmp_path, "b")

    return tmp_path, hashes


def test_the_closure_of_imports(tree):
    root, hashes = tree
    hashes()
    found = [path.relative_to(root).as_posix() for path in code_files(root, "a")]
    assert found == ["a.py", "lib/__init__.py", "lib/deep.py", "lib/middle.py"]


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ('"""Deep."""\nX = 2\n', True),
        ('"""Another text."""\nX = 1\n', False),
        ("# a comment\nX    =   1\n", False),
        ("X = 1\n", False),
        ('X = 1\nX\n"not a docstring"\n', True),
        ('def f():\n    "Docs."\nX = 1\n', True),
    ],
)
def test_only_code_counts(tree, text, changes):
    root, hashes = tree
    before = hashes()
    (root / "lib" / "deep.py").write_text(text)
    after = hashes()
    assert (after[0] != before[0]) == changes
    assert after[1] == before[1]


def test_it_is_the_same_in_another_folder(tree, tmp_path_factory):
    root, hashes = tree
    before = hashes()
    moved = tmp_path_factory.mktemp("moved") / "x"
    root.rename(moved)
    assert code_hash(moved, "a") == before[0]


def test_a_dynamic_import_is_refused(tree):
    root, hashes = tree
    (root / "a.py").write_text("import importlib\nimportlib.import_module('lib.other')\n")
    with pytest.raises(ValueError, match=r"a\.py:2: a dynamic import"):
        hashes()


def test_the_settings_of_a_room_do_not_count(tree):
    """Their values are in the spec; what they import for it is no code of the program."""
    root, hashes = tree
    (root / "a.py").write_text("import pipeline.settings\nimport lib.settings\n")
    for package in ("lib", "pipeline"):
        (root / package).mkdir(exist_ok=True)
        (root / package / "settings.py").write_text("import lib.other\n")
    before = hashes()
    (root / "lib" / "settings.py").write_text("import lib.deep\nLARGEST = 3\n")
    assert hashes() == before
    (root / "pipeline" / "settings.py").write_text("import lib.other\nX = 3\n")
    assert hashes()[0] != before[0]
