"""The demo by `make run PROFILE=slurm`: the same bytes, no matter what happens to its jobs."""

import json
import re
import subprocess
import sys

import pytest
from cluster_runs import PROFILE, Run, demo_copy, jobs_of
from harness import SNAKEMAKE, snakemake

from manifest.stable import stable_sha256


@pytest.fixture(scope="module")
def demos(disturbed, repository, tmp_path_factory):
    """The folders of the finished runs: on Slurm, and on this machine."""
    local = demo_copy(repository, tmp_path_factory.mktemp("local"))
    snakemake(local, preset="small")
    disturbed.finish(900)
    return disturbed.folder, local


def test_the_cancelled_training_was_submitted_again_and_resumed(demos, disturbed):
    first, second = jobs_of(disturbed, "train_seq2seq")
    assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
    # The end of the program's own log, which Snakemake shows.
    assert "ended by SIGTERM; the state is saved in results/small/.checkpoints/" in disturbed.shown
    log = disturbed.folder / "results/small/logs/train_seq2seq/seed1.log"
    assert "resumed after step" in log.read_text()
    # The second attempt asks for twice the memory.
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("2000M", "4000M")


def test_the_preempted_training_was_queued_again_and_resumed(demos, disturbed):
    (job,) = jobs_of(disturbed, "train_gpt")
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1")
    log = disturbed.folder / "results/small/logs/train_gpt/grammar_stories.seed1.log"
    assert "resumed after step" in log.read_text()


def test_a_rule_that_asks_for_a_gpu_gets_one(demos, disturbed):
    assert "gpu:1" in jobs_of(disturbed, "train_gpt")[0]["TresPerJob"]
    assert "gpu" not in jobs_of(disturbed, "train_seq2seq")[0].get("TresPerJob", "")


def test_folds_and_figures_are_a_submission_each(demos, disturbed):
    assert len(jobs_of(disturbed, "folds")) == 1
    assert len(jobs_of(disturbed, "report")) == 1
    assert len(list((disturbed.folder / "results/small/mlp/cv").rglob("*.json"))) == 8
    jobs = json.loads((disturbed.folder / "results/small/manifest.json").read_text())["jobs"]
    assert len(disturbed.submissions()) < len(jobs) - 6


def test_metrics_and_models_are_those_of_this_machine(demos):
    there, here = demos
    words = ["-m", "manifest.verify", "--run", there / "results/small"]
    words += ["--against", here / "results/small"]
    done = subprocess.run([sys.executable, *words], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    models = sorted((there / "results/small").rglob("model.*"))
    assert len(models) == 7
    for model in models:
        assert stable_sha256(model) == stable_sha256(here / model.relative_to(there)), model


def test_again_does_nothing(demos, disturbed):
    words = ["make", "run", "PRESET=small", "PROFILE=slurm"]
    again = Run(disturbed.folder, *words, log="again.log")
    assert "Nothing to be done" in again.finish(100)


def test_cluster_generic_gives_the_same_bytes(demos):
    """Two folds, in one submission, and a training once more by the way of SGE, PBS and LSF."""
    folder = demos[1]
    folds = sorted(folder.glob("results/small/mlp/cv/*/fold*.json"))[:2]
    paths = [*folds, folder / "results/small/seq2seq/seed1/model.safetensors"]
    before = [stable_sha256(path) for path in paths]
    targets = [str(path.relative_to(folder)) for path in paths]
    profile = ("--workflow-profile", PROFILE / "cluster-generic")
    words = (*targets, "--force", *profile)
    shown = snakemake(folder, *words, preset="small", programs=SNAKEMAKE.parent)
    submitted = re.findall(r"^Submitted .*? with external jobid '(\d+)'", shown, flags=re.M)
    assert len(submitted) == 2, shown
    assert [stable_sha256(path) for path in paths] == before
