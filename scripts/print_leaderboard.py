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
from pipeline.leaderboard import METRICS, OURS, number, read_leaderboard

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
    """The columns that fit: below 110 characters interval, parameters and time are left out."""
    wide = width >= 110
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    found.add_column("data set", overflow="fold")
    found.add_column("metric (split)", overflow="fold")
    found.add_column("model", overflow="fold", ratio=3 if wide else None)
    found.add_column("value", justify="right", no_wrap=True)
    found.add_column("± std (seeds)", justify="right", no_wrap=True)
    if wide:
        found.add_column("95 % interval", justify="right", no_wrap=True)
        found.add_column("weights", justify="right", no_wrap=True)
        found.add_column("train s", justify="right", no_wrap=True)
    found.add_column("source", overflow="ellipsis", no_wrap=True, ratio=2 if wide else None)
    last = None
    for row in rows:
        metric, ours = row["metric"], row["source"] == OURS
        group = (row["dataset"], f"{METRICS[metric].title} ({row['split']})")
        spread = f"± {number(metric, row['std'])} ({row['n_seeds']})" if row["std"] else ""
        name = f"{row['model']} [{row['implementation']}]" if ours else row["model"]
        cells = [*(group if group != last else ("", "")), name, number(metric, row["value"])]
        cells.append(spread or (f"({row['n_seeds']})" if row["n_seeds"] else ""))
        if wide:
            limits = (number(metric, row["ci_low"]), number(metric, row["ci_high"]))
            cells.append(" – ".join(limits) if row["ci_low"] is not None else "")
            cells.append(f"{row['parameters']:,}" if row["parameters"] else "")
            cells.append(f"{row['train_seconds']:.0f}" if row["train_seconds"] else "")
        cells.append(row["source"] if wide or ours else row["source"].split(")")[0] + ")")
        style = "bold" if ours else "dim"
        found.add_row(*(Text(cell) for cell in cells), style=style)
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
