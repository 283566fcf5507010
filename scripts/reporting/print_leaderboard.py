"""Print the leaderboard of a finished run as tables, and where its report is.

Classifiers first, one line per model, with training, validation and test in columns of their own;
then every other metric. Columns that do not fit the terminal are left out; nothing is cut.
"""

import argparse
import io
import os
import shutil
import sys
from itertools import groupby
from pathlib import Path

import yaml
from rich.console import Console
from rich.text import Text

from pipeline import settings
from pipeline.provenance import REPOSITORY
from reporting.formats import flops, seconds, several_inputs, weights
from reporting.leaderboard import METRICS, OURS, SPLITS, panels, read_leaderboard
from reporting.report import shown
from reporting.splits import PLACES, classifiers, spread
from reporting.terminal import Column, Group, table

SPLIT_COLUMNS = [
    Column("training", 2), Column("validation", 1),
    Column("test", 0), Column("test + flips", 3), Column("+ shifts", 4), Column("weights", 5),
    Column("time", 6), Column("compute", 7),
]  # fmt: skip
METRIC_COLUMNS = [
    Column("value", 0), Column("± std (seeds)", 1), Column("95 % interval", 2),
    Column("weights", 3), Column("time", 4), Column("source", 5, "left"), Column("compute", 6),
]  # fmt: skip


def titles() -> dict[str, str]:
    """What the data sets are called; one that takes a real one's place is a stand-in."""
    table = yaml.safe_load((REPOSITORY / "config" / "datasets.yaml").read_text(encoding="utf-8"))
    return {
        name: entry["title"] + (" (stand-in)" if entry.get("stands_in_for") else "")
        for name, entry in table.items()
    }


def by_split(rows: list[dict]) -> list[Group]:
    """A group per data set with classifiers: ours by split, then the published test values."""
    groups = []
    for dataset, found in groupby(classifiers(rows), key=lambda line: line.dataset):
        lines, ours = [], list(found)
        inputs = several_inputs(line.trained for line in ours)
        for line in ours:
            row = line.trained
            values = (spread(line.columns[column]) for column in list(PLACES)[:5])
            costs = (weights(row["parameters"]), seconds(row["train_seconds"]))
            name = f"{line.label(inputs)} [{line.implementation}]"
            lines.append((name, (*values, *costs, flops(row["train_flops"])), "bold"))
        for row in rows:
            own = (row["dataset"], row["metric"], row["split"]) == (dataset, "accuracy", "test")
            if own and row["source"] != OURS:
                cells = ("", "", spread(row), "", "", weights(row["parameters"]), "", "")
                lines.append((f"{row['model']} (published)", cells, "dim"))
        groups.append(Group(f"{dataset}: accuracy", lines))
    return groups


def by_metric(rows: list[dict]) -> list[Group]:
    """A group per data set and metric that by_split lacks: test rows, or else validation rows."""
    by_splits = {(line.dataset, line.metric) for line in classifiers(rows)}
    groups = []
    for panel in panels(rows):
        dataset, metric, split = (panel[0][name] for name in ("dataset", "metric", "split"))
        if (dataset, metric) in by_splits:
            continue
        lines = []
        for row in map(shown, panel):
            deviation = f"± {row['std_text']} " if row["std_text"] else ""
            deviation += f"({row['n_seeds']})" if row["n_seeds"] else ""
            source = "" if row["ours"] else row["source_short"]
            cells = (row["value_text"], deviation, row["ci_text"], row["parameters_text"])
            cells += (row["seconds_text"], source, row["flops_text"])
            kind = f"[{row['implementation']}]" if row["ours"] else "(published)"
            lines.append((f"{row['label']} {kind}", cells, "bold" if row["ours"] else "dim"))
        groups.append(Group(f"{dataset}: {METRICS[metric].title}, {SPLITS[split]}", lines))
    return groups


def text(name: str, rows: list[dict], folder: Path, width: int, colours: bool) -> str:
    """Everything that is printed; colours: with the codes of a terminal."""
    held = io.StringIO()
    console = Console(file=held, width=width, force_terminal=colours)
    console.print(Text(f"\nLeaderboard of {name}\n", style="bold"))
    for groups, columns in ((by_split(rows), SPLIT_COLUMNS), (by_metric(rows), METRIC_COLUMNS)):
        if groups:
            console.print(table(groups, columns, width))
    where = f"Leaderboard: {folder / 'leaderboard.csv'}\nReport:      {folder / 'report.html'}\n"
    return held.getvalue() + where


def show(folder: Path) -> None:
    """Print the leaderboard of the run in `folder`."""
    board = folder / "leaderboard.csv"
    if not board.exists():  # only a part of the run was asked for
        print(f"No leaderboard yet: {board} is made by `make run`.")
        return
    names = titles()
    rows = [
        row | {"dataset": names.get(row["dataset"], row["dataset"])}
        for row in read_leaderboard(board)
    ]
    width = max(40, shutil.get_terminal_size((80, 24)).columns)
    try:
        print(text(folder.name, rows, folder, width, sys.stdout.isatty()), end="", flush=True)
    except BrokenPipeError:
        # The reader has stopped (`| head`); Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the run: results/demo")
    show(parser.parse_args().folder)


if __name__ == "__main__":
    settings.run(main)
