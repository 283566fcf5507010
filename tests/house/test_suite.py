"""`make check` is quick: what starts Snakemake is marked, by one rule, and left out of it."""

import re


def test_only_files_that_import_from_harness_start_snakemake(repository):
    """tests/conftest.py marks those."""
    started = re.compile(r'\.venv/bin/snakemake"|parent / "snakemake"|"-m", "snakemake"')
    files = [
        path for path in (repository / "tests").rglob("test_*.py") if path.name != "test_suite.py"
    ]
    marked = {path for path in files if "\nfrom harness import" in path.read_text()}
    assert {path for path in files if started.search(path.read_text())} <= marked
    assert {path.parent.name for path in marked} >= {"demo", "live", "workflow"}
    assert len(marked) < len(files) / 4
