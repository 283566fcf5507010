"""`make run` and `make report`: Snakemake, then the leaderboard or what failed.

    python workflow/lib/run.py config/PRESET.yaml WORD...

The words are Snakemake's, with those of ARGS among them: they may name another run than the preset
does, so it is the workflow that tells which one this was.
"""

import io
import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import datetime
from pathlib import Path

import check_yaml
import what_failed
from snakemake import cli
from snakemake.exceptions import print_exception

from pipeline import settings
from reporting.print_leaderboard import show

LOCKED = """\
This folder is locked: another run works in it, or one was killed (docs/recovery.md).
If none does, here or on a machine that shares it: make unlock, then run again. Nothing is lost."""


def parsed(words: list[str]) -> tuple[ArgumentParser, Namespace]:
    """Snakemake's parser and its arguments, without the line that says where a profile is."""
    unread = io.StringIO()
    with suppress(SystemExit), redirect_stdout(unread), redirect_stderr(unread):
        return cli.parse_args(words)
    return cli.parse_args(words)  # --help, or a wrong word: now it may say so


def main() -> None:
    config, words = Path(sys.argv[1]), sys.argv[2:]
    check_yaml.check([Path("config/config.yaml"), config])
    began = datetime.now().strftime("%Y-%m-%dT%H%M%S")
    sys.argv = ["snakemake", *words]  # for its log
    try:
        parser, asked = parsed(words)
        done = cli.args_to_api(asked, parser)
    except Exception as error:
        print_exception(error)
        done = False
    if not done:
        what_failed.tell(began)
        if any(Path(".snakemake/locks").glob("*.lock")):
            print(LOCKED, file=sys.stderr)
        sys.exit(1)
    folder = Path(os.path.relpath(os.environ["RUN_FOLDER"]))
    if asked.report:
        print(Path(asked.report).replace(folder / "snakemake-report.html"))
    elif not asked.dryrun:
        show(folder)


if __name__ == "__main__":
    try:
        settings.run(main)
    except KeyboardInterrupt:  # before Snakemake, or after it
        sys.exit(130)
