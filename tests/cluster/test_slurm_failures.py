"""What becomes of jobs that fail, need more memory or time, or want a GPU: toy/Snakefile."""

import pytest
from cluster_runs import jobs_of


@pytest.fixture(scope="module")
def toy(disturbed, runs):
    """The run of toy/Snakefile, ended: two of its jobs cannot go well."""
    runs["toy"].finish(600, check=False)
    assert runs["toy"].process.returncode == 1
    return runs["toy"]


def test_a_failing_job_shows_its_log(toy):
    assert "error: the fourth column is no number" in toy.shown
    (job,) = jobs_of(toy, "failing")
    assert f"SLURM-job '{job['JobId']}' failed, SLURM status is: 'FAILED'" in toy.shown


def test_killed_over_its_memory_and_retried_with_more(toy):
    first, second = jobs_of(toy, "memory")
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("600M", "1200M")
    assert first["JobState"] in ("FAILED", "OUT_OF_MEMORY", "CANCELLED"), first
    log = toy.folder / ".snakemake/slurm_logs/rule_memory" / f"{first['JobId']}.log"
    assert "xceeded" in log.read_text()
    assert (toy.folder / "out/memory.txt").read_text() == "1200\n"


def test_a_job_past_its_time_is_named_and_was_warned(toy):
    (job,) = jobs_of(toy, "endless")
    assert f"SLURM-job '{job['JobId']}' failed, SLURM status is: 'TIMEOUT'" in toy.shown
    # SIGTERM reached the program, not the shell around it alone.
    assert (toy.folder / "out-state.txt").read_text() == "saved\n"
    assert not (toy.folder / "out/endless.txt").exists()


def test_a_gpu_is_handed_on(toy):
    assert (toy.folder / "out/gpu.txt").read_text() == "0\n"
    assert "gpu:1" in jobs_of(toy, "gpu")[0]["TresPerJob"]


def test_six_folds_are_one_submission(toy):
    assert (toy.folder / "out/mean.txt").read_text() == "0\n1\n2\n3\n4\n5\n"
    assert len(jobs_of(toy, "folds")) == 1
    assert jobs_of(toy, "fold") == []
