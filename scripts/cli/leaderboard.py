"""`nn leaderboard RUN`: what a finished run achieved."""

from cli.catalogue import run_folder
from cli.tables import show_json
from pipeline.errors import InputError
from reporting.leaderboard import read_leaderboard
from reporting.print_leaderboard import show


def main(run: str, as_json: bool) -> None:
    """Print the single models of a run; as JSON, every row. Raises InputError without rows."""
    folder = run_folder(run)
    if not (folder / "leaderboard.csv").exists():
        raise InputError(f"run {run}: it has no leaderboard yet: make run")
    if as_json:
        show_json(read_leaderboard(folder / "leaderboard.csv"))
    else:
        show(folder)
