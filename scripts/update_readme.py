"""Fill the results table of README.md, between its two markers, from the reference leaderboard.

With --check nothing is written: the program ends with status 1 if the table is out of date.
"""

import argparse
from pathlib import Path

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError
from reporting.leaderboard import OURS, read_leaderboard, read_references
from reporting.summary import markdown_table

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def filled(text: str, leaderboard: Path, references: Path, link: str) -> str:
    """`text` with everything between the markers made anew from `leaderboard` and `references`.

    Raises InputError if the markers are not there exactly once, in their order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise InputError(f"README: expected {BEGIN} and then {END}, each once")
    rows = read_leaderboard(leaderboard)
    ours = [row for row in rows if row["source"] == OURS]
    commits = ", ".join(f"`{commit}`" for commit in sorted({row["commit"] for row in ours}))
    devices = ", ".join(sorted({f"{row['device']}, {row['threads']} thread(s)" for row in ours}))
    note = (
        f"Run `{ours[0]['run']}`, computed at commit {commits}; each training on {devices}."
        " The 95 % interval is over the examples of the split; published results"
        f" follow other protocols, which the [report]({link}) names. `make readme` writes this"
        " table."
    )
    table = markdown_table(rows, *read_references(references))
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return "\n".join([before + BEGIN, "", *table, "", note, "", END]) + after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument(
        "--leaderboard", type=Path, default=Path("results/reference/leaderboard.csv")
    )
    parser.add_argument("--references", type=Path, default=Path("config/references.yaml"))
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    args = parser.parse_args()
    if not args.leaderboard.exists():
        raise InputError(f"{args.leaderboard}: not there: `make reference` makes it")
    text = args.readme.read_text(encoding="utf-8")
    link = args.leaderboard.with_name("report.html").as_posix()
    fresh = filled(text, args.leaderboard, args.references, link)
    if args.check and fresh != text:
        raise InputError(f"{args.readme}: its table is not that of {args.leaderboard}: make readme")
    if fresh != text:
        write_text(args.readme, fresh)
    print(f"{args.readme}: {'up to date' if fresh == text else 'filled'}")


if __name__ == "__main__":
    settings.run(main)
