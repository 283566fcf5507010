"""What all tests share."""

import os
import signal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Programs that a test starts are modules of this checkout, installed or not.
REPOSITORY = Path(__file__).resolve().parents[1]
os.environ["PYTHONPATH"] = str(REPOSITORY / "scripts")
os.environ["PYTHONSAFEPATH"] = "1"
# Each module is compiled once, not by each of some hundred processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# A shell's background job ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Neither the clock nor chance decides: a busy machine stalls any test, and a draw that fails must
# fail again. `make fuzz` is where new draws are.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("house", calm, derandomize=True, max_examples=25)
settings.register_profile("fuzz", calm, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


@cache
def starts_snakemake(file: Path) -> bool:
    """Whether a file of tests gets its copies of the repository and Snakemake from harness.py."""
    return "\nfrom harness import" in file.read_text(encoding="utf-8")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts Snakemake as `dag`; it is slow, so that it comes first."""
    for item in items:
        if starts_snakemake(item.path):
            item.add_marker("dag")
    items.sort(key=lambda item: not starts_snakemake(item.path))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY
