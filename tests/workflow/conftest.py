"""A fresh copy of the repository, for tests that ask what a run would do and change nothing."""

from pathlib import Path

import pytest
from harness import copy_repository


@pytest.fixture(scope="session")
def fresh(repository, tmp_path_factory) -> Path:
    return copy_repository(repository, tmp_path_factory.mktemp("fresh"))
