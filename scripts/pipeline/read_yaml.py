"""A YAML table of the project that a program was given."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from pipeline.errors import InputError
from pipeline.settings import problems


def read_yaml(path: Path, kind: Any) -> dict:
    """The mapping in a file, as it stands there, if it fits `kind`, a pydantic model or annotation.

    Raises InputError: the file, and each thing that is wrong with it.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise InputError(f"{path}: {'; '.join(problems(error, kind))}") from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        found = " ".join(str(error).split())
        raise InputError(f"{path}: expected a table in YAML, found: {found}") from None
    return values
