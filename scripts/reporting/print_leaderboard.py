"""Print what a finished run achieved as one short table, and where its leaderboard and report are.

A line per single model, by the metric that speaks for its data set, beside the best published
result that compares. Columns that do not fit the terminal are left out; nothing is cut.
"""

import argparse
import io
import os
import shutil
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import yaml
from rich.console import Console
from rich.text import Text

from pipeline import settings
from pipeline.provenance import REPOSITORY
from reporting.formats import several_inputs, weights
from reporting.headline import best_published, metric_and_split
from reporting.leaderboard import METRICS, OURS, number, ordinary, read_leaderboard, read_references
from reporting.report import shown
from reporting.splits import Line, lines, spread
from reporting.terminal import Column, Group, table

COLUMNS = [
    Column("training", 2, "left"), Column("validation", 1, "left"), Column("test", 0, "left"),
    Column("95 % interval", 4), Column("weights", 3), Column("time", 5), Column("compute", 6),
    Column("in", 7, "left"),
]  # fmt: skip


def dataset_titles() -> dict[str, str]:
    """What the data sets are called; one that takes a real one's place is a stand-in."""
    table = yaml.safe_load((REPOSITORY / "config" / "datasets.yaml").read_text(encoding="utf-8"))
    return {
        name: entry["title"] + (" (stand-in)" if entry.get("stands_in_for") else "")
        for name, entry in table.items()
    }


def groups(rows: list[dict], references: list[dict], titles: Mapping[str, str]) -> list[Group]:
    """A group per data set: ours in the order of their validation values, the published last."""
    ours = [row for row in rows if row["source"] == OURS and ordinary(row)]
    found = []
    for dataset, models in groupby(lines(ours), key=lambda line: line.dataset):
        published = [r for r in references if r["comparable"] and r["dataset"] == dataset]
        speaks = metric_and_split([r for r in ours if r["dataset"] == dataset], published)
        if speaks is None:
            continue
        metric, split = speaks
        single = [line for line in models if line.metric == metric]
        inputs = several_inputs(line.trained for line in single)
        texts = [(line.label(inputs), cells(line), "bold") for line in single]
        wanted = {"dataset": dataset, "metric": metric, "split": split}
        if best := best_published(wanted, published):
            place = "test" if split == "test" else "validation"
            known = {
                place: number(metric, best["value"]),
                "weights": weights(best.get("parameters")),
            }
            other = tuple(known.get(column.title, "") for column in COLUMNS)
            texts.append((f"{best['model']} (published)", other, "dim"))
        found.append(Group(f"{titles.get(dataset, dataset)}: {METRICS[metric].title}", texts))
    return found


def cells(line: Line) -> tuple[str, ...]:
    """The texts of a model of ours, one per column."""
    row = shown(line.trained)
    values = (spread(line.train), spread(line.validation), spread(line.test))
    costs = (row["parameters_text"], row["seconds_text"], row["flops_text"])
    return *values, row["ci_text"], *costs, row["implementation"]


def text(folder: Path, width: int, colours: bool) -> str:
    """Everything that is printed; colours: with the codes of a terminal."""
    rows = read_leaderboard(folder / "leaderboard.csv")
    _, references = read_references(REPOSITORY / "config" / "references.yaml")
    found = groups(rows, references, dataset_titles())
    held = io.StringIO()
    console = Console(file=held, width=width, force_terminal=colours)
    console.print(Text(f"\nLeaderboard of {folder.name}: single models\n", style="bold"))
    console.print(table(found, COLUMNS, width))
    where = f"All rows: {folder / 'leaderboard.csv'}\nReport:   {folder / 'report.html'}\n"
    page = folder / "play.html"
    return held.getvalue() + where + (f"Play:     {page}\n" if page.exists() else "")


def show(folder: Path) -> None:
    """Print the leaderboard of the run in `folder`."""
    board = folder / "leaderboard.csv"
    if not board.exists():  # only a part of the run was asked for
        print(f"No leaderboard yet: {board} is made by `make run`.")
        return
    width = max(40, shutil.get_terminal_size((80, 24)).columns)
    try:
        print(text(folder, width, sys.stdout.isatty()), end="", flush=True)
    except BrokenPipeError:
        # The reader has stopped (`| head`); Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the run: results/demo")
    show(parser.parse_args().folder)


if __name__ == "__main__":
    settings.run(main)
