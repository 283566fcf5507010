"""A fabricated run, finished: what the report's tests look at."""

from pathlib import Path

import pytest
from finished_run import Run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A fabricated run, finished: leaderboard, every figure, report. Tests leave it as it is."""
    repository = Path(__file__).resolve().parents[2]
    with pytest.MonkeyPatch.context() as patch:
        run = Run(tmp_path_factory.mktemp("results") / "made-up", repository, patch)
        run.draw(run.folder / "figures")
        run.report()
        yield run
