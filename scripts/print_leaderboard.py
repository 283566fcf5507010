"""Print the leaderboard of a finished run as a table, and where its report is."""

import argparse
import os
import sys
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import settings
from pipeline.errors import InputError
from reporting import report
from reporting.leaderboard import OURS, read_leaderboard

SPLITS = ("test", "val", "cv")


def run_name(config: Path) -> str:
    """The `run` of a configuration file, or of config.yaml beside it if a preset has none."""
    for path in (config, config.parent / "config.yaml"):
        try:
            name = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("run")
        except OSError as error:
            raise InputError(f"--config {path}: cannot be read: {error.strerror}") from None
        if name:
            return name
    raise InputError(f"--config {config}: no `run` in it, nor in config.yaml beside it")


def shown(rows: list[dict]) -> list[dict]:
    """Test rows; where a data set and metric has none of ours, validation or CV rows instead."""
    kept = []
    for key in dict.fromkeys((row["dataset"], row["metric"]) for row in rows):
        group = [row for row in rows if (row["dataset"], row["metric"]) == key]
        ours = {row["split"] for row in group if row["source"] == OURS}
        split = next((name for name in SPLITS if name in ours), None)
        kept += [row for row in group if row["split"] == split]
    return kept


def table(rows: list[dict], width: int) -> Table:
    """The columns that fit: below 120 characters no interval, weights and time."""
    wide = width >= 120
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    found.add_column("data set", no_wrap=True)
    found.add_column("metric (split)", no_wrap=True)
    found.add_column("model", overflow="fold", min_width=18)
    found.add_column("value", justify="right", no_wrap=True)
    found.add_column("± std (n)", justify="right", no_wrap=True)
    if wide:
        found.add_column("95 % interval", justify="right", no_wrap=True)
        found.add_column("weights", justify="right", no_wrap=True)
        found.add_column("time", justify="right", no_wrap=True)
    if width >= 136:
        found.add_column("source", overflow="fold")
    last = None
    for row in map(report.shown, rows):
        group = (row["dataset"], f"{row['metric_title']} ({row['split']})")
        name = f"{row['model']} [{row['implementation']}]" if row["ours"] else row["model"]
        spread = f"± {row['std_text']} " if row["std_text"] else ""
        spread += f"({row['n_seeds']})" if row["n_seeds"] else ""
        cells = [*(group if group != last else ("", "")), name, row["value_text"], spread]
        if wide:
            cells += [row["ci_text"], row["parameters_text"], row["seconds_text"]]
        if width >= 136:
            cells.append(row["source_short"])
        found.add_row(*map(Text, cells), style="bold" if row["ours"] else "dim")
        last = group
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--run-name", action="store_true", help="print the run's name, no more")
    args = parser.parse_args()
    name = run_name(args.config)
    if args.run_name:
        print(name)
        return
    folder = Path("results", name)
    board = folder / "leaderboard.csv"
    if not board.exists():
        # A dry run (ARGS="--dry-run") ends here too, and is no failure.
        print(f"No leaderboard yet: {board} is made by `make run`.")
        return
    console = Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", 120)))
    console.print(Text(f"\nLeaderboard of {name}", style="bold"), end="\n\n")
    console.print(table(shown(read_leaderboard(board)), console.width))
    # Not through the table's console: a path must never be wrapped.
    print(f"\nLeaderboard: {board}\nReport:      {folder / 'report.html'}")


if __name__ == "__main__":
    settings.run(main)
