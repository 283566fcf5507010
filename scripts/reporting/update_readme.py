"""Fill the tables of README.md and docs/results.md, each between its two markers.

`summary` (README.md) and `results` come from the leaderboard that joins all runs, `speed` from the
benchmarks beside peers (mlp_step.csv ...), `cost` from that of the workflow (dag_cost.csv), each if
it exists. With --check nothing is written: the program ends with status 1 if a table is out of
date.
"""

import argparse
import os
from pathlib import Path

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from pipeline.read_yaml import read_yaml
from raw.table import Table
from reporting.formats import counted
from reporting.leaderboard import OURS, read_leaderboard, read_references
from reporting.report import COUNTED
from reporting.tables import COMMANDS, markdown, markdown_table, render, summary

PATHS = {
    "readme": "README.md",
    "results": "docs/results.md",
    "leaderboard": "results/reference/leaderboard.csv",
    "references": "config/references.yaml",
    "datasets": "config/datasets.yaml",
}


def markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def replaced(page: Path, text: str, name: str, fresh: str) -> str:
    """The `text` of a page with `fresh` between the markers of `name`.

    Raises InputError if the markers are not there exactly once, in their order.
    """
    begin, end = markers(name)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise InputError(f"{page}: expected {begin} and then {end}, each once")
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{fresh}\n\n{end}{rest.split(end)[1]}"


def results(rows: list[dict], sources: dict, references: list[dict], folder: str) -> str:
    """The table of all runs and how to read it; folder: where a link finds the reference."""
    ours = [row for row in rows if row["source"] == OURS]
    places = {f"{row['device']} with {counted(row['threads'], 'thread')}" for row in ours}
    kernels = {row["kernels"] for row in ours} - {None}
    devices = " or ".join(sorted(places))
    devices += f"; kernels, where they were recorded: {', '.join(sorted(kernels))}" * bool(kernels)
    return render(
        "results",
        table="\n".join(markdown_table(rows, sources, references)),
        devices=devices,
        folder=folder,
        counted=COUNTED,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in PATHS.items():
        parser.add_argument(f"--{name}", type=Path, default=Path(default))
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    args = parser.parse_args()
    if not args.leaderboard.exists():
        raise InputError(f"{args.leaderboard}: does not exist: `make reference` makes it")
    kept = args.leaderboard.parent
    rows, published = read_leaderboard(args.leaderboard), read_references(args.references)
    titles = {name: entry["title"] for name, entry in read_yaml(args.datasets, Table).items()}
    place = Path(os.path.relpath(kept, args.results.parent)).as_posix()
    tables = {"results": results(rows, *published, place)}
    for table, command in COMMANDS.items():
        missing = f"Not measured yet: `{command}`, then `make keep-bench`."
        tables[table] = markdown(table, kept) or missing
    pages = {args.readme: {"summary": summary(rows, *published, titles)}, args.results: tables}
    for page, fresh in pages.items():
        text = filled = page.read_text(encoding="utf-8")
        for table, content in fresh.items():
            filled = replaced(page, filled, table, content)
        if args.check and filled != text:
            raise InputError(f"{page}: not the tables of {kept}: make readme")
        if filled != text:
            write_text(page, filled)
        print(f"{page}: {'up to date' if filled == text else 'filled'}")


if __name__ == "__main__":
    settings.run(main)
