"""What a schema expects reaches the user in words, whichever of its keywords found a mistake."""

import pytest
import yaml
from configuration import problems
from jsonschema import Draft202012Validator
from schema_words import PATTERNS, WORDS

# Told by lines of their own: keys that are unknown or missing.
OF_KEYS = {"additionalProperties", "required", "dependentRequired"}
# They pass on what the schemas inside them find.
OF_OTHERS = {"$ref", "properties", "items", "propertyNames", "if"}
NAMED = {"properties", "$defs"}
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def keywords(node, named=False):
    """Every keyword of a schema that checks something, and its value."""
    if isinstance(node, list):
        for inner in node:
            yield from keywords(inner)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if not named and key in Draft202012Validator.VALIDATORS:
            yield key, value
        assert not named or isinstance(value, dict), "of the schema `false` no key is told"
        yield from keywords(value, named=not named and key in NAMED)


@pytest.fixture(scope="module")
def used(repository):
    paths = (repository / "workflow" / "schemas").glob("*.schema.yaml")
    return [pair for path in paths for pair in keywords(yaml.safe_load(path.read_text()))]


def test_every_keyword_of_the_schemas_has_words(used):
    assert len(used) > 500
    assert {key for key, _ in used} - OF_KEYS - OF_OTHERS <= set(WORDS)


def test_every_pattern_of_the_schemas_has_words(used):
    patterns = {value.removesuffix(r"(?!\n)") for key, value in used if key == "pattern"}
    assert patterns == set(PATTERNS)


def told(folder, schema, value):
    (folder / "x.schema.yaml").write_text(yaml.safe_dump({"$schema": DRAFT, **schema}))
    return problems(value, folder, "x")


@pytest.mark.parametrize(
    ("rule", "value", "line"),
    [
        ({"type": "number"}, "x", "expected a number, found 'x'"),
        ({"type": ["integer", "null"]}, 1.5, "expected a whole number or null, found 1.5"),
        ({"type": "boolean"}, None, "expected true or false, found null"),
        ({"type": "object"}, [1], "expected keys with values, found [1]"),
        ({"type": ["integer", "array"]}, True, "expected a whole number or a list, found true"),
        ({"enum": ["a", "b"]}, "c", "expected one of a, b, found 'c'"),
        ({"const": False}, True, "expected false, found true"),
        ({"not": {"enum": ["a", "b"]}}, "b", "expected none of a, b, found 'b'"),
        ({"minimum": 2}, 1, "expected at least 2, found 1"),
        ({"maximum": 10}, 11, "expected at most 10, found 11"),
        ({"exclusiveMinimum": 0}, 0, "expected a number above 0, found 0"),
        ({"exclusiveMaximum": 1}, 1.5, "expected a number below 1, found 1.5"),
        ({"multipleOf": 2}, 3, "expected a multiple of 2, found 3"),
        ({"minItems": 1}, [], "expected at least 1 entry, found []"),
        ({"minItems": 2}, [5], "expected at least 2 entries, found [5]"),
        ({"maxItems": 1}, [5, 6], "expected at most 1 entry, found [5, 6]"),
        ({"uniqueItems": True}, [5, 5], "expected each entry once, found [5, 5]"),
        ({"minProperties": 1}, {}, "expected at least 1 key, found {}"),
        ({"minLength": 1}, "", "expected a text of at least 1 letter, found ''"),
        ({"pattern": "^[ACGT]{1,10}$"}, "U", "expected 1 to 10 letters out of A, C, G, T, found"),
        ({"pattern": r"^[0-9a-f]{64}$(?!\n)"}, "U", "expected 64 hex digits, in small letters, f"),
        (
            {"oneOf": [{"required": ["urls"]}, {"required": ["archive"]}]},
            {},
            "expected either urls or archive, found {}",
        ),
        ({"not": {}}, 1, "expected no such key here, found 1"),
    ],
)
def test_what_was_expected_and_what_was_found(tmp_path, rule, value, line):
    lines = told(tmp_path, {"properties": {"key": rule}}, {"key": value})
    assert len(lines) == 1
    assert lines[0].startswith(f"key: {line}")


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"properties": {"keys": {}}, "additionalProperties": False}, "did you mean 'keys'?"),
        ({"properties": {"far": {}}, "additionalProperties": False}, "known keys: far"),
        ({"additionalProperties": False}, "key: unknown key; expected no further keys"),
        ({"required": ["other", "key"]}, "other: missing"),
        ({"dependentRequired": {"key": ["a"], "b": ["c"]}}, "a: missing beside key"),
        ({"propertyNames": {"enum": ["a", "b"]}}, "key: expected as a key one of a, b"),
        ({"minProperties": 2}, "expected at least 2 keys, found {'key': 1}"),
    ],
)
def test_keys_are_named(tmp_path, rule, line):
    lines = told(tmp_path, rule, {"key": 1})
    assert len(lines) == 1
    assert lines[0].endswith(line)
