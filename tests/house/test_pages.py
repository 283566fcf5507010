"""What the front page and the index of the documentation promise of themselves."""

import re
from textwrap import indent


def test_the_front_page_is_short(repository):
    assert len((repository / "README.md").read_text().splitlines()) <= 150


def test_the_code_of_the_front_page_is_the_project_s(repository):
    text = (repository / "README.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    source = (repository / "scripts" / "numpy_nn" / "attention.py").read_text()
    assert code.count("\n") <= 20 and indent(code, "    ") in source


def test_the_map_has_every_folder(repository):
    text = (repository / "README.md").read_text()
    shown = re.findall(r"^(\w[\w/]*)/(?: (\w+)/)? ", text, flags=re.M)
    named = {name for line in shown for name in line if name}
    assert all((repository / name).is_dir() for name in named)
    rooms = {path.parent.name for path in (repository / "scripts").glob("*/__init__.py")}
    missing = {room for room in rooms if f"scripts/{room}" not in named}
    # Snakemake's messages in a terminal: a package by Snakemake's rules, no room.
    assert missing == {"snakemake_logger_plugin_live"}


def test_the_index_has_every_page(repository):
    index = (repository / "docs" / "README.md").read_text()
    pages = {path.name for path in (repository / "docs").glob("*.md")} - {"README.md"}
    assert [page for page in sorted(pages) if f"]({page})" not in index] == []
