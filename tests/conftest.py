"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Programs that a test starts are modules of this checkout, installed or not.
REPOSITORY = Path(__file__).resolve().parents[1]
os.environ["PYTHONPATH"] = str(REPOSITORY / "scripts")
os.environ["PYTHONSAFEPATH"] = "1"

# Neither the clock nor chance decides: a busy machine stalls any test, and a draw that fails must
# fail again. `make fuzz` is where new draws are.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


class ByPlace(LoadScopeScheduling):
    """A file's tests go to one worker of pytest-xdist, and all of tests/demo to one: it runs once.

    Not by marks: with pytest 9.2 xdist 3.8 overlooks those of groups (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "tests/demo" if file.startswith("tests/demo/") else file


@pytest.hookimpl(optionalhook=True)  # -p no:xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByPlace:
    return ByPlace(config, log)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY
