"""Fill the tables of README.md, each between its two markers, from the committed reference results.

`results` comes from the leaderboard of the standard run, `ensemble` from that of the run of this
name, `speed` from the benchmark of Part 1 (mlp_step.csv), `cost` from that of the workflow
(dag_cost.csv), each if it exists. With --check nothing is written: the program ends with status 1
if a table is out of date.
"""

import argparse
from pathlib import Path

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from reporting import benchmarks
from reporting.leaderboard import OURS, read_leaderboard, read_references
from reporting.report import COUNTED
from reporting.summary import markdown_table

# Table -> the benchmark's file beside the leaderboard.
BENCHMARKS = {"speed": benchmarks.SPEED, "cost": benchmarks.COST}


def markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def replaced(text: str, name: str, lines: list[str]) -> str:
    """`text` with `lines` between the markers of `name`.

    Raises InputError if the markers are not there exactly once, in their order.
    """
    begin, end = markers(name)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise InputError(f"README: expected {begin} and then {end}, each once")
    before, rest = text.split(begin)
    return "\n".join([before + begin, "", *lines, "", end]) + rest.split(end)[1]


def run_of(rows: list[dict]) -> str:
    """Which run it was, of which code, on what."""
    ours = [row for row in rows if row["source"] == OURS]
    commits = ", ".join(f"`{commit}`" for commit in sorted({row["commit"] for row in ours}))
    devices = ", ".join(sorted({f"{row['device']}, {row['threads']} thread(s)" for row in ours}))
    return f"Run `{ours[0]['run']}`, computed at commit {commits}; each training on {devices}."


def report(leaderboard: Path) -> str:
    return leaderboard.with_name("report.html").as_posix()


def results(leaderboard: Path, references: Path) -> list[str]:
    """The table of the results and how to read it."""
    rows = read_leaderboard(leaderboard)
    notes = [
        "Training, validation and test are different splits and are never mixed. Validation (± over"
        " the folds or seeds) made every choice; the test split was read once per run (± over"
        " seeds; below it the 95 % interval over its examples). On tinyshakespeare nothing was"
        " chosen: what nanoGPT holds out, it calls validation.",
        "*More views*: the mean answer to each test image and its flip (flips), or to both and to"
        " copies moved by a few pixels (shifts). An *ensemble* averages the probabilities of"
        " several trained models. Neither is one model that reads each image once, so neither"
        " competes with the bold figures or with published ones.",
        f"*Cost*: time and compute of one training. {COUNTED}",
        "*MCC*: Matthews' correlation coefficient, 1 if every class is right and 0 by chance, here"
        " times 100. *Nats* per token and *bits* per byte: the mean of -log p of the text that"
        " follows, to base e and 2; less is better. *Exact match*: the share of proteins without an"
        " error.",
        f"{run_of(rows)} Published results follow other protocols, which the"
        f" [report]({report(leaderboard)}) names. `make readme` writes this table.",
    ]
    table = markdown_table(rows, *read_references(references))
    return [*table, "", *(f"- {note}" for note in notes)]


def ensemble(leaderboard: Path, references: Path) -> list[str]:
    """The table of the run `ensemble`, or a sentence that there is none."""
    if not leaderboard.exists():
        return ["Not run yet: `make run PRESET=ensemble`, then `make reference`."]
    rows = read_leaderboard(leaderboard)
    note = (
        "The columns are those of the table above. The ensemble's validation value is that of a"
        " smaller ensemble: on a fold, the mean of one net of each kind that was trained without"
        " it. Nets on features have no shifts; where the others use them, these answer with flips."
        f" {run_of(rows)} Its own [report]({report(leaderboard)}). `make readme` writes this table."
    )
    return [*markdown_table(rows, *read_references(references)), "", note]


def measured(name: str, folder: Path) -> list[str]:
    """The table of a benchmark in `folder`, or a sentence that there is none."""
    file = BENCHMARKS[name]
    if not (folder / file).exists():
        return [f"Not measured yet: `{benchmarks.COMMANDS[file]}`, then `make reference`."]
    return benchmarks.markdown(file, folder / file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in {
        "readme": "README.md",
        "leaderboard": "results/reference/leaderboard.csv",
        "ensemble": "results/reference-ensemble/leaderboard.csv",
        "references": "config/references.yaml",
    }.items():
        parser.add_argument(f"--{name}", type=Path, default=Path(default))
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    args = parser.parse_args()
    if not args.leaderboard.exists():
        raise InputError(f"{args.leaderboard}: does not exist: `make reference` makes it")
    text = args.readme.read_text(encoding="utf-8")
    fresh = replaced(text, "results", results(args.leaderboard, args.references))
    fresh = replaced(fresh, "ensemble", ensemble(args.ensemble, args.references))
    for name in BENCHMARKS:
        fresh = replaced(fresh, name, measured(name, args.leaderboard.parent))
    if args.check and fresh != text:
        raise InputError(f"{args.readme}: not the tables of {args.leaderboard.parent}: make readme")
    if fresh != text:
        write_text(args.readme, fresh)
    print(f"{args.readme}: {'up to date' if fresh == text else 'filled'}")


if __name__ == "__main__":
    settings.run(main)
