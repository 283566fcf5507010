"""Programs of tests and benchmarks find their modules by themselves, without pytest's path."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "program", ["tests/faults/chaos.py", "tests/fuzz/fuzz.py", "benchmarks/dag_cost.py"]
)
def test_it_starts(repository, tmp_path, program):
    done = subprocess.run(
        [sys.executable, repository / program, "--help"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "--" in done.stdout
