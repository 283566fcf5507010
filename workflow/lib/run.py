"""`make run` and `make report`: Snakemake, then the leaderboard or what failed.

    python workflow/lib/run.py config/PRESET.yaml WORD...

The words are Snakemake's, with those of ARGS among them: they may name another run than the preset
does, so it is the workflow that tells which one this was.
"""

import os
import sys
from datetime import datetime
from pathlib import Path

import check_yaml
import what_failed
from snakemake import cli

from pipeline import settings
from reporting.print_leaderboard import show

LOCKED = """\
This folder is locked: another run works in it, or one was killed (docs/recovery.md).
If none does, here or on a machine that shares it: make unlock, then run again. Nothing is lost."""


def said(*words: object, **options: object) -> None:
    """What snakemake.cli prints, but for the line at each start that says where a profile is."""
    if not str(words[0]).startswith("Using "):
        print(*words, **options)  # type: ignore[call-overload]


def snakemake(words: list[str]) -> int:
    """Run Snakemake here; return its status."""
    sys.argv = ["snakemake", *words]
    try:
        cli.main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def main() -> None:
    config, words = Path(sys.argv[1]), sys.argv[2:]
    check_yaml.check([Path("config/config.yaml"), config])
    began = datetime.now().strftime("%Y-%m-%dT%H%M%S")
    cli.print = said  # type: ignore[attr-defined]
    if status := snakemake(words):
        what_failed.tell(began)
        if any(Path(".snakemake/locks").glob("*.lock")):
            print(LOCKED, file=sys.stderr)
        sys.exit(status)
    asked = cli.parse_args(words)[1]
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
