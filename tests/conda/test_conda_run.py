"""make run CONDA=1: every rule of the demo in its own environment, and the same bytes."""

import re
import subprocess
import sys

from declared import rules
from harness import jobs_of, planned


def test_every_rule_of_the_demo_runs_in_an_environment_of_its_own(repository, plain, separate):
    folder, printed = separate
    assert set(jobs_of(printed)) == set(planned(plain, "--forceall"))
    created = {path.read_text() for path in (folder / ".snakemake/conda").glob("*.yaml")}
    assert created == {path.read_text() for path in (repository / "envs").iterdir()}


def test_the_bytes_are_those_of_a_run_without_conda(plain, separate):
    words = ["-m", "manifest.verify", "--run", separate[0] / "results/brief"]
    words += ["--against", plain / "results/brief"]
    done = subprocess.run([sys.executable, *words], cwd=plain, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_going_back_to_one_environment_reruns_nothing(make, separate):
    assert "Nothing to be done" in make(separate[0], "why")
    assert "Nothing to be done" in make(separate[0], "why", "CONDA=1")


def test_results_of_one_environment_are_made_again_in_their_own(make, plain):
    assert set(jobs_of(make(plain, "why", "CONDA=1"))) == set(planned(plain, "--forceall"))


def test_a_changed_environment_reruns_its_rules(repository, make, separate):
    folder = separate[0]
    of_report = {rule for _, rule, _, environment in rules(repository) if environment == "report"}
    of_report.add("build_notebook")  # which shows the leaderboard and the figures
    kept = (folder / "envs/report.yaml").read_text()
    (folder / "envs/report.yaml").write_text(kept + "# Another comment.\n")
    try:
        assert set(jobs_of(make(folder, "why", "CONDA=1"))) == of_report
        assert "Nothing to be done" in make(folder, "why")
    finally:
        (folder / "envs/report.yaml").write_text(kept)


def test_a_version_that_no_channel_has_is_one_clear_error(make, separate):
    folder = separate[0]
    kept = (folder / "envs/numpy.yaml").read_text()
    (folder / "envs/numpy.yaml").write_text(kept.replace("scipy >=1.15,<2", "scipy >=99"))
    before = {path.name for path in (folder / ".snakemake/conda").iterdir()}
    try:
        printed = make(folder, "run", "CONDA=1", fails=True)
    finally:
        (folder / "envs/numpy.yaml").write_text(kept)
    assert re.search(r"Could not create conda environment from .*envs/numpy\.yaml", printed)
    assert printed.count("cannot be installed from file://") == 1
    assert "No candidates were found for scipy >=99" in printed
    assert "Traceback" not in printed
    assert {
        path.name for path in (folder / ".snakemake/conda").iterdir() if path.is_dir()
    } <= before
    assert "Nothing to be done" in make(folder, "why", "CONDA=1")
