"""A program's command line: paths as options, and every setting in one `--spec`.

Snakemake passes `--spec` as one canonical JSON string that also holds the hash of the stage's code
(`code`), so a program can read no setting that Snakemake does not track. A person can write
`--spec '{"lr": 0.1}'`, `--spec @settings.json`, or leave it out and get the defaults.
"""

import argparse
import difflib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo

from pipeline.errors import NO_ROOM, NOT_READABLE, InputError, cannot_write, require_writable
from pipeline.hashing import canonical_sha256


class Settings(BaseModel):
    """Base of all settings: typed, immutable; an unknown key is an error.

    The check of config.yaml and the programs use the same models: <room>/settings.py.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def each_once(values: list) -> list:
    """For lists in which nothing may be repeated."""
    if twice := [value for index, value in enumerate(values) if value in values[:index]]:
        raise ValueError(f"expected each entry once, found {twice[0]!r} twice")
    return values


def text_of(pattern: str, words: str) -> AfterValidator:
    """For texts that must match the whole `pattern`; `words` say so to people."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {words}")
        return text

    return AfterValidator(check)


Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(each_once)]
Threads = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


def _shared_by_heads(width: int, info: ValidationInfo) -> int:
    heads = info.data.get("n_heads", 1)
    if width % heads:
        raise ValueError(f"expected a multiple of n_heads {heads}")
    return width


# The d_model of a Transformer, in settings that name n_heads before it.
Width = Annotated[int, AfterValidator(_shared_by_heads)]


def read_spec(text: str, settings: type[Settings]) -> tuple[Settings, str]:
    """Parse JSON `text`, or the file named after `@`, into `settings`.

    Returns the settings and the sha256 (hex) of the canonical JSON, `code` included.
    Raises InputError with one line that names each bad key.
    """
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # also not UTF-8, or no file can have this name
            raise InputError(f"--spec {text!r}: cannot be read: {error}") from None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--spec: not JSON ({error}): {text[:80]!r}") from None
    if not isinstance(values, dict):
        raise InputError(f"--spec: expected a JSON object, found {type(values).__name__}")
    key = canonical_sha256(values)
    values.pop("code", None)
    try:
        return settings.model_validate(values), key
    except ValidationError as error:
        raise InputError("--spec: " + "; ".join(problems(error, settings))) from None


def problems(error: ValidationError, settings: Any) -> list[str]:
    """One line for each thing that is wrong: `model.n_heads: expected ..., found ...`.

    A check that compares several settings raises ValueError("<key>: expected ..., found ..."), with
    a line for each problem. Where several kinds of value are possible, a line names them all.
    settings: the model, or the annotation, that refused the values.
    """
    lines: list[str] = []
    kinds: dict[str, list[str]] = {}  # place of a value -> what each kind of it expected
    found: dict[str, str] = {}
    for problem in error.errors():
        path, known = _place(settings, problem["loc"])
        where, kind = ".".join(map(str, path)), problem["type"]
        if kind in ("extra_forbidden", "invalid_key"):
            lines.append(f"{where}: unknown key; {nearest(str(path[-1]), known)}")
        elif kind == "missing":
            lines.append(f"{where}: missing")
        elif problem["loc"][-1:] == ("[key]",):
            lines.append(f"{where}: expected as a key {_expected(problem)}")
        elif kind == "value_error" and isinstance(problem["input"], Mapping | Settings):
            told = str(problem["ctx"]["error"]).splitlines()
            lines += [".".join(filter(None, [where, line])) for line in told]
        else:
            kinds.setdefault(where, []).append(_expected(problem))
            found[where] = _shown(problem["input"], problem["type"])
    for where, expected in kinds.items():
        # A list with a wrong entry is not a number either: only the entry is reported.
        if not any(other.startswith(f"{where}.") for other in [*kinds, *lines]):
            words = " or ".join(dict.fromkeys(expected))
            lines.append(f"{where}: expected {words}, found {found[where]}")
    return [" ".join(line.split()) for line in dict.fromkeys(lines)]


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint for an unknown name: the nearest known one, or all of them."""
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(known)}" if known else "expected no further keys"


# Kind of pydantic's problem -> what was expected.
EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "none_required": "null",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of {max_length} or fewer",
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_too_short": "text of {min_length} or more letters",
}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def _expected(problem: Mapping[str, Any]) -> str:
    """What was expected, without the word `expected`."""
    words = EXPECTED.get(problem["type"])
    context = problem.get("ctx", {}).items()
    shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context}
    text = words.format(**shown) if words else problem["msg"]
    return text.removeprefix("Input should be ").removeprefix("Value error, expected ")


def _shown(value: Any, kind: str) -> str:
    """A value as JSON, cut where it is long; with a hint where a number or truth is text."""
    text = json.dumps(value, default=str, skipkeys=True)
    text = text if len(text) <= 200 else f"{text[:197]}..."
    if kind not in ("int_type", "float_type", "bool_type") or not isinstance(value, str):
        return text
    written = "it without quotes"
    if (number := NUMBER.fullmatch(value)) and number[2]:
        mantissa, exponent = re.split("[eE]", value)
        written = f"{mantissa}{'' if '.' in mantissa else '.0'}e{int(exponent):+d}"
    if number or value in ("true", "false"):
        text += f" (text, as YAML reads it: write {written}; within --config 'key={{...}}' all"
        text += " values are text, so put them into a file for --configfile)"
    return text


def inside(annotation: Any) -> Iterator[tuple[Any, FieldInfo]]:
    """(key, field) of what values of an annotation hold, whichever kind of a union they are.

    key: a setting's name; `int` for the entries of a list, `str` for those of a dict.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Union, UnionType):
        for part in parts[:1] if origin is Annotated else parts:
            yield from inside(part)
    elif origin in (list, dict):
        yield (int if origin is list else str), FieldInfo.from_annotation(parts[-1])
    elif isinstance(annotation, type) and issubclass(annotation, Settings):
        yield from annotation.model_fields.items()


def _place(settings: Any, path: Sequence[str | int]) -> tuple[list[str | int], list[str]]:
    """Where a problem is, without pydantic's names for the members of unions; the keys there."""
    found: list[str | int] = []
    here, known = [settings], []
    for name in path[:-1] if path[-1:] == ("[key]",) else path:
        held = [pair for annotation in here for pair in inside(annotation)]
        known = [key for key, _ in held if isinstance(key, str)]
        inner = [field.annotation for key, field in held if key == name or key is type(name)]
        if inner or (known and name is path[-1]):
            found.append(name)
            here = inner
    return found, known


# Types as --help names them, and what bounds them: an attribute of annotated_types.
KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def kind(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """A type in words: `whole number, at least 1`, `list of 1 or more: text`, `"a" or "b"`.

    metadata: what pydantic keeps of an Annotated type beside the type itself.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [each for part in parts[1:] for each in getattr(part, "metadata", [part])]
        return kind(parts[0], [*inner, *metadata])
    if origin in (Union, UnionType):
        words = ["null" if part is type(None) else kind(part, metadata) for part in parts]
        return " or ".join(sorted(dict.fromkeys(words), key=lambda word: word != "null"))
    if origin is Literal:
        return " or ".join(map(json.dumps, parts))
    if origin in (list, dict):
        least = next((m.min_length for m in metadata if getattr(m, "min_length", 0)), 0)
        held = f"list{f' of {least} or more' if least else ''}: " if origin is list else "keys: "
        return held + kind(parts[-1])
    limits = {
        name: f"{words} {value:.15g}"
        for name, words in BOUNDS.items()
        for each in metadata
        if isinstance(value := getattr(each, name, None), int | float)
    }
    if {"ge", "le"} <= limits.keys():
        limits = {"range": " to ".join(limits[name].split()[-1] for name in ("ge", "le"))}
    return ", ".join(
        filter(None, [KINDS.get(annotation, "settings"), " and ".join(limits.values())])
    )


def _described(annotation: Any, prefix: str = "", defaults: Any = None) -> Iterator[str]:
    """The lines of --help for each setting, nested ones after the one that holds them.

    defaults: the default of the field that holds the settings, where it has one.
    """
    for key, field in inside(annotation):
        name, value = f"{prefix}{key if isinstance(key, str) else '*'}", None
        if isinstance(key, str):
            default = getattr(defaults, key, field.get_default(call_default_factory=True))
            value = default if isinstance(default, Settings) else None
            if field.is_required() and defaults is None:
                shown = "required"
            else:
                shown = "see below" if value else f"default {json.dumps(default, default=_json)}"
            yield f"  {name}: {kind(field.annotation, field.metadata)}; {shown}"
            if field.description:
                yield f"      {field.description}"
        yield from _described(field.annotation, f"{name}.", value)


def _json(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else str(value)


def arguments(
    description: str,
    settings: type[Settings],
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    argv: list[str] | None = None,
) -> argparse.Namespace:
    """Parse the command line of a program.

    inputs, outputs: option name -> help text; each becomes a required `--name PATH` (an input whose
    name ends in `*` takes several paths, one ending in `?` may be left out). A name in capitals is
    a word without an option, as people type it. Inputs must exist, the folders of outputs must be
    writable.
    Returns a namespace with one Path (or list of Paths) an option, `spec` (the settings) and
    `spec_key` (the sha256 that names this stage's settings and code).
    """
    raw = argparse.RawDescriptionHelpFormatter
    epilog = "\n".join(["settings, as keys of --spec:", *_described(settings)])
    module = getattr(sys.modules["__main__"], "__spec__", None)
    parser = argparse.ArgumentParser(
        prog=f"python -m {module.name}" if module else None,
        description=description,
        epilog=epilog,
        formatter_class=raw,
    )
    parser.add_argument("--spec", default="{}", help="settings: a JSON object, or @file.json")
    for name, text in {**inputs, **outputs}.items():
        if name.isupper():
            parser.add_argument(name.lower(), type=Path, metavar=name, help=text)
            continue
        option, several = f"--{name.rstrip('*?')}", "+" if name.endswith("*") else None
        needed = not name.endswith("?")
        parser.add_argument(
            option, type=Path, required=needed, nargs=several, metavar="PATH", help=text
        )
    args = parser.parse_args(argv)
    for name in inputs:
        if missing := [path for path in _paths(args, name) if not path.exists()]:
            option = name if name.isupper() else f"--{name.rstrip('*?')}"
            raise InputError(f"{option}: no such file: {missing[0]}")
    args.spec, args.spec_key = read_spec(args.spec, settings)
    for name in outputs:
        for path in _paths(args, name):
            require_writable(path)
    return args


def _paths(args: argparse.Namespace, name: str) -> list[Path]:
    """What an option was given: several paths, one or none."""
    found = getattr(args, name.rstrip("*?").replace("-", "_").lower())
    return found if isinstance(found, list) else [found] if found else []


def run(main: Callable[[], None]) -> None:
    """Call `main`; an InputError ends the program with its message and status 1.

    So does a full disk under a file that is not written by pipeline.atomic, such as the log, and an
    input that is no file or not to be read.
    """
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno in NOT_READABLE:
            sys.exit(f"error: {error}")
        if error.errno not in NO_ROOM:
            raise
        sys.exit(f"error: {cannot_write(error.filename or 'standard output', error)}")
