"""Fixtures that all tests share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Neither the clock nor chance decides: a busy machine stalls any test, and a draw that fails must
# fail again. `make fuzz` is where new draws are.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parents[1]
