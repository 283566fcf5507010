"""A program's command line: paths as options, and every setting in one `--spec`.

Snakemake passes `--spec` as one canonical JSON string that also holds the hash of the stage's code
(`code`), so a program can read no setting that Snakemake does not track. A person can write
`--spec '{"lr": 0.1}'`, `--spec @settings.json`, or leave it out and get the defaults.
"""

import argparse
import difflib
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import InputError


class Settings(BaseModel):
    """Base of every program's settings: typed, immutable; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"--spec: not JSON ({error}): {text[:80]!r}") from None
    if not isinstance(values, dict):
        raise InputError(f"--spec: expected a JSON object, found {type(values).__name__}")
    key = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    values.pop("code", None)
    try:
        return settings.model_validate(values), key
    except ValidationError as error:
        raise InputError("--spec: " + "; ".join(_explain(error, settings))) from None


def _explain(error: ValidationError, settings: type[Settings]) -> list[str]:
    lines = []
    for problem in error.errors():
        where = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(where, settings.model_fields, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            lines.append(f"unknown setting {where!r}{hint}")
        else:
            lines.append(f"{where}: {problem['msg']}, found {problem['input']!r}")
    return lines


def arguments(
    description: str,
    settings: type[Settings],
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    argv: list[str] | None = None,
) -> argparse.Namespace:
    """Parse the command line of a program.

    inputs, outputs: option name -> help text; each becomes a required `--name PATH` (an input whose
    name ends in `*` takes several paths, one ending in `?` may be left out). Inputs must exist.
    Returns a namespace with one Path (or list of Paths) an option, `spec` (the settings) and
    `spec_key` (the sha256 that names this stage's settings and code).
    """
    fields = "\n".join(
        f"  {name}: {field.annotation if 'typing' in str(field.annotation) else _name(field)}"
        f" = {json.dumps(field.get_default(call_default_factory=True), default=str)}"
        f"\n      {field.description or ''}"
        for name, field in settings.model_fields.items()
    )
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
    return args


def _name(field: Any) -> str:
    return getattr(field.annotation, "__name__", str(field.annotation))


def run(main: Callable[[], None]) -> None:
    """Call `main`; an InputError ends the program with its message and status 1."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
