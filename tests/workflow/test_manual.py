"""config.yaml is the manual: it has every key of the models, each with a comment, and no other."""

import re

import pytest
import yaml
from configuration import Configuration

from pipeline import settings

# Keys that a preset may have, told in a comment at the place that is named.
TOLD = {"mlp.hog.parts.*.block": "parts", "mlp.search.rungs.*.folds": "rungs"}


def inside(annotation):
    """(name, field) of what an annotation holds: keys of models, * for entries."""
    return [
        (key if isinstance(key, str) else "*", held) for key, held in settings.inside(annotation)
    ]


def of_model(annotation, path=()):
    """The path of every setting, with * for names of one's own and for entries of lists."""
    found = {".".join(path)} if path and path[-1] != "*" else set()
    for name, inner in inside(annotation):
        found |= of_model(inner.annotation, (*path, name))
    return found


def of_file(node, annotation, path=()):
    """(path, line) of every key of a YAML node, as `of_model` writes it."""
    known = {name: field.annotation for name, field in inside(annotation)}
    inner = known.get("*")
    if isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from of_file(entry, inner, (*path, "*"))
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value if key.value in known else "*")
            if here[-1] != "*":
                yield ".".join(here), key.start_mark.line
            yield from of_file(value, known.get(key.value, inner), here)


@pytest.fixture(scope="module")
def text(repository):
    return (repository / "config" / "config.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def places(text):
    """Path -> the line of the key's first place."""
    found = {}
    for path, line in of_file(yaml.compose(text), Configuration):
        found.setdefault(path, line)
    return found


def test_the_file_has_the_keys_of_the_models_and_no_other(places):
    assert set(places) == of_model(Configuration) - set(TOLD)


def comment_above(lines, number, outside=False):
    """The comment above a line, or above the neighbours of the same depth that come before it.

    outside: or above the key that holds the line.
    """
    depth = len(lines[number]) - len(lines[number].lstrip(" -"))
    for end in range(number - 1, -1, -1):
        line = lines[end]
        if line.lstrip().startswith("#"):
            start = end
            while start and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            return " ".join(lines[start : end + 1])
        if outside and re.fullmatch(r" *\w+:", line):
            depth, outside = len(line) - len(line.lstrip()), False
        elif not line.strip() or len(line) - len(line.lstrip(" -")) < depth:
            return ""
    return ""


def test_every_setting_has_a_comment(text, places):
    lines = text.splitlines()
    bare = []
    for path, number in places.items():
        name = path.rpartition(".")[2]
        holds_more = any(other.startswith(f"{path}.") for other in places)
        alone = re.match(rf"\s*(- )?{re.escape(name)}:", lines[number])
        comment = comment_above(lines, number, outside=not alone)
        if not holds_more and not (comment if alone else re.search(rf"\b{name}\b", comment)):
            bare.append(f"{number + 1}: {path}")
    assert bare == []


def test_what_no_preset_needs_is_told_beside_its_place(text):
    lines = text.splitlines()
    for path, place in TOLD.items():
        number = next(n for n, line in enumerate(lines) if line.strip() == f"{place}:")
        assert f"`{path.rpartition('.')[2]}`" in comment_above(lines, number)


def test_every_setting_is_described(places):
    """What --help says, and an editor."""

    def bare(annotation, path=()):
        for name, field in inside(annotation):
            if name != "*" and not field.description and not inside(field.annotation):
                yield ".".join((*path, name))
            yield from bare(field.annotation, (*path, name))

    assert list(bare(Configuration)) == []
