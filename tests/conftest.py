"""Fixtures that all tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes (pytest-xdist) one runs all tests that share a finished demo, beginning
    with them, and a file's tests stay together: what their fixtures make is made once."""
    items.sort(key=lambda item: "demo" not in getattr(item, "fixturenames", ()))
    for item in items:
        shared = "demo" if "demo" in getattr(item, "fixturenames", ()) else item.path.name
        item.add_marker(pytest.mark.xdist_group(shared))
