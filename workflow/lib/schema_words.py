"""What a schema expects, in words: `exclusiveMaximum: 1` is 'a number below 1'."""

import json
from collections.abc import Callable, Mapping

TYPES = {
    "object": "keys with values",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
# The patterns of our schemas. `(?!\n)` refuses the line's end that `$` would let pass.
PATTERNS = {
    "^[A-Za-z0-9][A-Za-z0-9_-]*$": "letters, digits, _ and -, a letter or digit first",
    "^[a-z][a-z0-9_]*$": "small letters, digits and _, a letter first",
    "^[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)?$": (
        "small letters, digits and _, a letter first, or two such names with a / between them"
    ),
    "^[a-z][a-z0-9_]*/(seeds|folds)$": "a model's name with /seeds or /folds behind it",
    "^[A-Za-z0-9_][A-Za-z0-9_.+-]*$": (
        "a plain file name: letters, digits, _, ., + and -, a letter, digit or _ first"
    ),
    "^[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$": (
        "a relative path of plain file names: letters, digits, _, ., + and -, a letter, digit or"
        " _ first in each"
    ),
    "^[0-9a-f]{64}$": "64 hex digits, in small letters",
    "^https?://[^ ]+$": "a URL without spaces, http:// or https://",
    "^https://[^ ]+$": "a URL without spaces, https://",
    "^[ACGT]{1,10}$": "1 to 10 letters out of A, C, G, T",
    "^#[0-9A-Fa-f]{6}$": "a colour, # and 6 hex digits",
}


def plain(value: object) -> str:
    """A value as it stands in YAML."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def listed(values: object) -> str:
    return ", ".join(map(plain, values))


def _type(value: str | list[str]) -> str:
    names = [value] if isinstance(value, str) else value
    return " or ".join(TYPES[name] for name in names)


def _pattern(value: str) -> str:
    return PATTERNS.get(value.removesuffix(r"(?!\n)"), f"a text that matches {value}")


def _count(number: int, what: str, many: str) -> str:
    return f"{number} {what if number == 1 else many}"


def _not(schema: Mapping) -> str:
    if not schema:  # everything fits {}
        return "no such key here"
    return f"none of {listed(schema['enum'])}" if set(schema) == {"enum"} else "another value"


def _form(options: list[Mapping]) -> str:
    """The words for oneOf: options that each ask for keys and nothing else are named."""
    if all(set(option) == {"required"} for option in options):
        named = (" and ".join(option["required"]) for option in options)
        return f"either {' or '.join(named)}"
    return "one of the accepted forms"


WORDS: dict[str, Callable[..., str]] = {
    "type": _type,
    "enum": lambda values: f"one of {listed(values)}",
    "const": plain,
    "not": _not,
    "oneOf": _form,
    "minimum": lambda least: f"at least {least}",
    "maximum": lambda most: f"at most {most}",
    "exclusiveMinimum": lambda bound: f"a number above {bound}",
    "exclusiveMaximum": lambda bound: f"a number below {bound}",
    "multipleOf": lambda step: f"a multiple of {step}",
    "minItems": lambda least: f"at least {_count(least, 'entry', 'entries')}",
    "maxItems": lambda most: f"at most {_count(most, 'entry', 'entries')}",
    "uniqueItems": lambda _: "each entry once",
    "minProperties": lambda least: f"at least {_count(least, 'key', 'keys')}",
    "minLength": lambda least: f"a text of at least {_count(least, 'letter', 'letters')}",
    "pattern": _pattern,
}


def expected(keyword: str, value: object) -> str:
    """The words for `keyword: value` of a schema."""
    return WORDS[keyword](value) if keyword in WORDS else f"{keyword} {plain(value)}"
