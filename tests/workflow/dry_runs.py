"""What a fork that becomes Snakemake finds imported, read and parsed already (tests/forks.py).

Never the project's: Snakemake, its plugins and their packages, and the syntax trees of programs.
"""

import contextlib
import sys
from pathlib import Path

import code_hash
import numpy  # noqa: F401
import pandas  # noqa: F401
import pydantic  # noqa: F401
import requests  # noqa: F401
import smart_open  # noqa: F401
import yaml
from snakemake import api, cli, dag, workflow  # noqa: F401

cli.get_argument_parser()  # imports the plugins
# Snakemake reads configurations by it: in C the same, eight times as fast.
yaml.FullLoader = yaml.CFullLoader


def before_fork(folder: str) -> None:
    """Parse what is not yet known of a folder's programs, by their text, so that no fork has to."""
    root = Path(folder).resolve() / "scripts"
    for path in root.glob("*/*.py"):
        with contextlib.suppress(ValueError, SyntaxError):  # the dry run tells
            code_hash._module(path, path.read_text(encoding="utf-8"), root)
    # A folder may hold another code_hash.py than this one.
    own, known = Path(folder, "workflow/lib/code_hash.py"), Path(code_hash.__file__)
    if own.exists() and own.read_bytes() != known.read_bytes():
        sys.modules.pop("code_hash", None)
    else:
        sys.modules["code_hash"] = code_hash
