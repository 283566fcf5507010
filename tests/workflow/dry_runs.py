"""A server of dry runs: Snakemake is imported once, and each dry run is a fork of this process.

A request is a line on stdin, [folder, words, environment] in JSON; the answer is a line on stdout,
[status, all that the dry run printed]. It ends with its stdin. What it shares with a fork is never
the project's: Snakemake, its plugins and their packages, and the syntax trees of the programs.
"""

import contextlib
import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import code_hash
import numpy  # noqa: F401
import pandas  # noqa: F401
import pydantic  # noqa: F401
import requests  # noqa: F401
import smart_open  # noqa: F401
from snakemake import api, cli, dag, workflow  # noqa: F401


def read_programs(folder: Path) -> None:
    """Parse what is not yet known of a folder's programs, by their text, so that no fork has to."""
    root = folder.resolve() / "scripts"
    for path in root.glob("*/*.py"):
        with contextlib.suppress(ValueError, SyntaxError):  # the dry run tells
            code_hash._module(path, path.read_text(encoding="utf-8"), root)


def dry_run(folder: str, words: list[str], environment: dict[str, str]) -> None:
    """In the fork: what the command `snakemake` does in `folder`, and end."""
    status: object = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        # A folder may hold another code_hash.py than this one.
        own, known = Path("workflow/lib/code_hash.py"), Path(code_hash.__file__)
        if not own.exists() or own.read_bytes() != known.read_bytes():
            del sys.modules["code_hash"]
        sys.argv = ["snakemake", *words]
        cli.main(words)
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


def answer(folder: str, words: list[str], environment: dict[str, str]) -> tuple[int, str]:
    read_programs(Path(folder))
    with tempfile.TemporaryFile() as printed:
        child = os.fork()
        if not child:
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            dry_run(folder, words, environment)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed.seek(0)
        return status, printed.read().decode()


if __name__ == "__main__":
    cli.get_argument_parser()  # imports the plugins
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
