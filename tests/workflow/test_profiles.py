"""The cluster profiles speak of rules that there are: Snakemake says nothing of any other."""

import os
import re

import declared
import pytest
import yaml

PROFILES = ("slurm", "cluster-generic")


@pytest.fixture(params=PROFILES)
def profile(request, repository):
    path = repository / "workflow" / "profiles" / request.param / "profile.yaml"
    return yaml.safe_load(path.read_text())


def rules(repository):
    return {rule for _, rule, _, _ in declared.rules(repository) if rule}


def test_groups_are_of_rules_that_exist(profile, repository):
    assert set(profile["groups"]) <= rules(repository)
    assert set(profile["group-components"]) == set(profile["groups"].values())


def test_all_of_the_report_is_one_group(repository):
    path = repository / "workflow" / "profiles" / "slurm" / "profile.yaml"
    grouped = {k for k, v in yaml.safe_load(path.read_text())["groups"].items() if v == "report"}
    assert grouped == {"build_leaderboard", "draw_figures", "build_report", "build_notebook"}


def test_the_examples_in_the_profile_are_of_rules_that_exist(repository):
    text = (repository / "workflow/profiles/slurm/profile.yaml").read_text()
    shown = re.findall(r"^#   (\w+): \{gpu", text, flags=re.M)
    assert len(shown) == 4 and set(shown) <= rules(repository)


def test_the_status_command_can_be_called(repository):
    path = repository / "workflow/profiles/cluster-generic/profile.yaml"
    command = yaml.safe_load(path.read_text())["cluster-generic-status-cmd"]
    assert os.access(repository / command, os.X_OK)
