"""A Slurm for the session, and on it, side by side: the demo, and jobs that fail in every way."""

import os
import time

import one_node_slurm
import pytest
from cluster_runs import PROFILE, Run, demo_copy, jobs_of, slurm, toy_copy, wait_for

# The profile of the repository with a quicker first look at a job.
QUICK = ("--slurm-init-seconds-before-status-checks", "1")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if reason := one_node_slurm.missing():
        (pytest.fail if os.environ.get("REQUIRE_SLURM") else pytest.skip)(reason)
    folder = tmp_path_factory.mktemp("slurm")
    try:
        one_node_slurm.start(folder)
        yield folder
    finally:
        one_node_slurm.stop(folder)


@pytest.fixture(scope="session")
def runs(cluster, repository, tmp_path_factory):
    """name -> Run, all started at once: what is slow about them is waiting."""
    base = tmp_path_factory.mktemp("runs")
    profile = ("--workflow-profile", PROFILE / "slurm", *QUICK)
    # A partition that no job preempts.
    calm = ("--default-resources", "mem_mb=500", "runtime=5", "slurm_partition=calm")
    train_gpt = "--set-resources train_gpt:gpu=1"
    started = {
        "slurm": Run(
            demo_copy(repository, base / "slurm"),
            "make",
            "run",
            "PRESET=small",
            "PROFILE=slurm",
            f"ARGS={' '.join(QUICK)} {train_gpt}",
        ),
        "toy": Run(
            toy_copy(base / "toy"), "snakemake", *profile, *calm, "--cores", "2", "--retries", "0"
        ),
    }
    yield started
    for run in started.values():
        run.kill()


@pytest.fixture(scope="session")
def disturbed(runs):
    """The demo's run on Slurm, with one training cancelled and one preempted on the way."""
    run = runs["slurm"]
    checkpoints = run.folder / "results" / "small" / ".checkpoints"
    waiting = {
        "train_seq2seq": checkpoints / "seq2seq" / "seed1" / "lock",
        "train_gpt": checkpoints / "gpt" / "grammar_stories" / "seed1" / "lock",
    }
    while waiting:
        rule = wait_for(lambda: next((r for r in waiting if waiting[r].exists()), None), 600, run)
        time.sleep(1)  # It holds its folder; now it listens to SIGTERM too.
        job = jobs_of(run, rule)[-1]["JobId"]
        if rule == "train_seq2seq":
            slurm(f"scancel {job}")
        else:
            # It wants the only GPU, which the training has.
            slurm("sbatch --partition=urgent --gpus=1 --mem=50 --output=/dev/null --wrap 'sleep 1'")
        del waiting[rule]
    return run
