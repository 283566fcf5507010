"""A program's command line: paths as options, and every setting in one `--spec`.

Snakemake passes `--spec` as one canonical JSON string that also holds the hash of the stage's code
(`code`), so a program can read no setting that Snakemake does not track. A person can write
`--spec '{"lr": 0.1}'`, `--spec @settings.json`, or leave it out and get the defaults.
"""

import argparse
import difflib
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from pipeline.disk import NO_ROOM, cannot_write, require_writable
from pipeline.errors import InputError


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


def spec_key(values: Mapping[str, Any]) -> str:
    """The sha256 (hex) of the canonical JSON of settings, `code` included."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def read_spec(text: str, settings: type[Settings]) -> tuple[Settings, str]:
    """Parse JSON `text`, or the file named after `@`, into `settings`.

    Returns the settings and the sha256 (hex) of the canonical JSON, `code` included.
    Raises InputError with one line that names each bad key.
    """
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"--spec {text}: cannot be read: {error.strerror}") from None
        except ValueError as error:  # not UTF-8, or no file can have this name
            raise InputError(f"--spec {text!r}: cannot be read: {error}") from None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--spec: not JSON ({error}): {text[:80]!r}") from None
    if not isinstance(values, dict):
        raise InputError(f"--spec: expected a JSON object, found {type(values).__name__}")
    key = spec_key(values)
    values.pop("code", None)
    try:
        return settings.model_validate(values), key
    except ValidationError as error:
        raise InputError("--spec: " + "; ".join(problems(error, settings))) from None


def problems(error: ValidationError, settings: type[Settings]) -> list[str]:
    """One line for each thing that is wrong: `model.n_heads: expected ..., found ...`.

    A check that compares several settings raises ValueError("<key>: expected ..., found ...").
    """
    lines = []
    for problem in error.errors():
        *outer, last = problem["loc"] or ("",)
        where, kind = ".".join(map(str, problem["loc"])), problem["type"]
        if kind == "extra_forbidden":
            known = [name for inner in _inside(settings, outer) for name in inner.model_fields]
            lines.append(f"{where}: unknown key; {nearest(str(last), known)}")
        elif kind == "missing":
            lines.append(f"{where}: missing")
        elif kind == "value_error" and isinstance(problem["input"], Mapping | Settings):
            lines.append(".".join(filter(None, [where, str(problem["ctx"]["error"])])))
        else:
            lines.append(f"{where}: {_expected(problem)}, found {_shown(problem['input'])}")
    return [" ".join(line.split()) for line in dict.fromkeys(lines)]


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint for an unknown name: the nearest known one, or all of them."""
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(known)}" if known else "expected no further keys"


def _expected(problem: Mapping[str, Any]) -> str:
    """pydantic's message in the project's form: expected ..."""
    text = problem["msg"].removeprefix("Value error, ")
    text = re.sub(r"^Input should be (?=(?:greater|less|a multiple))", "expected a number ", text)
    text = re.sub(r"^Input should be ", "expected ", text)
    text = re.sub(r"^(\w+) should have (.*?)(?: after validation)?, not \d+$", r"expected \2", text)
    return text


def _shown(value: Any) -> str:
    """A value as JSON, as it stands in YAML too, cut where it is long; with a hint for 1e-3."""
    text = json.dumps(value, default=str)
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value):
        mantissa, exponent = re.split("[eE]", value)
        text += f" (YAML reads that as text: write {mantissa}.0e{int(exponent):+d})"
    return text if len(text) <= 200 else f"{text[:197]}..."


def _nested(annotation: Any) -> list[type[Settings]]:
    """The settings that stand in a field's annotation: itself, or in list[...], dict[...], | ."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [found for part in get_args(annotation) for found in _nested(part)]


def _inside(settings: type[Settings], path: Sequence[str | int]) -> list[type[Settings]]:
    """The settings at `path` in `settings`; indices and keys of containers lead nowhere new."""
    found = [settings]
    for name in path:
        fields = [s.model_fields[name] for s in found if name in s.model_fields]
        found = [inner for field in fields for inner in _nested(field.annotation)] or found
    return found


def _described(
    settings: type[Settings], prefix: str = "", defaults: Settings | None = None
) -> Iterator[str]:
    """The lines of --help for each field, nested settings after the field that holds them.

    defaults: the default of the field that holds `settings`, where it has one.
    """
    for name, field in settings.model_fields.items():
        plain = isinstance(field.annotation, type) and not get_args(field.annotation)
        kind = field.annotation.__name__ if plain else str(field.annotation)
        kind = re.sub(r"[A-Za-z_]\w*\.", "", kind)  # without the modules
        value = None
        if field.is_required() and defaults is None:
            shown = "(required)"
        else:
            default = getattr(defaults, name, field.get_default(call_default_factory=True))
            value = default if isinstance(default, Settings) else None
            shown = "(see below)" if value else f"= {json.dumps(default, default=_json)}"
        yield f"  {prefix}{name}: {kind} {shown}\n      {field.description or ''}"
        for nested in _nested(field.annotation):
            yield from _described(nested, f"{prefix}{name}.{'' if plain else '*.'}", value)


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
    name ends in `*` takes several paths, one ending in `?` may be left out). Inputs must exist,
    the folders of outputs must be writable.
    Returns a namespace with one Path (or list of Paths) an option, `spec` (the settings) and
    `spec_key` (the sha256 that names this stage's settings and code).
    """
    fields = "\n".join(_described(settings))
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"settings (keys of --spec, with their defaults):\n{fields}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--spec", default="{}", help="settings: a JSON object, or @file.json")
    for name, text in inputs.items():
        many, optional = name.endswith("*"), name.endswith("?")
        parser.add_argument(
            f"--{name.rstrip('*?')}",
            type=Path,
            required=not optional,
            nargs="+" if many else None,
            metavar="PATH",
            help=text,
        )
    for name, text in outputs.items():
        optional = name.endswith("?")
        parser.add_argument(
            f"--{name.rstrip('?')}", type=Path, required=not optional, metavar="PATH", help=text
        )
    args = parser.parse_args(argv)
    for name in inputs:
        found = getattr(args, name.rstrip("*?").replace("-", "_"))
        for path in found if isinstance(found, list) else [found]:
            if path is not None and not path.exists():
                raise InputError(f"--{name.rstrip('*?')}: no such file: {path}")
    args.spec, args.spec_key = read_spec(args.spec, settings)
    for name in outputs:
        path = getattr(args, name.rstrip("?").replace("-", "_"))
        if path is not None:
            require_writable(path)
    return args


def run(main: Callable[[], None]) -> None:
    """Call `main`; an InputError ends the program with its message and status 1.

    So does a full disk under a file that is not written by pipeline.atomic, such as the log.
    """
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        sys.exit(f"error: {cannot_write(error.filename or 'standard output', error)}")
