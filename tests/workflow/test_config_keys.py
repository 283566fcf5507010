"""Each key of the configuration reruns exactly the jobs that read it, and what follows them.

The run is one of empty files (stand_in_python.py): what a dry run plans depends on records, not on
contents.
"""

import re
from pathlib import Path

import pytest
from config_keys import JOINT, ROOMS, changed, changes, configuration, expected, leaves, merged
from harness import copy_repository, pretend, snakemake

# What follows any change of a result.
RECORD = {"build_manifest", "build_crate"}
SUMMARY = {"build_leaderboard", "build_notebook", "build_report"} | RECORD
# What follows a change of a figure alone, besides the report.
DRAWN = {"draw_figures", "build_notebook"}
# A job that a dry run prints: its rule and its first output.
JOB = re.compile(r"^(?:local)?rule (\w+):\n(?:    input: .*\n)?    output: ([^,\n]+)", re.M)


@pytest.fixture(scope="module")
def finished(repository, tmp_path_factory) -> Path:
    """A copy of the repository with a demo of empty files."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("finished"))
    pretend(folder)
    return folder


def dry_runs(folder, changes):
    """For each change the jobs that would run: {(rule, first output)}."""
    shown = (snakemake(folder, "--dry-run", change=change) for change in changes)
    return [{job for job in JOB.findall(text) if job[0] != "all"} for text in shown]


def named(jobs):
    """Jobs of the rooms by name: the rule, and the model where a room trains several."""
    found = set()
    for rule, output in jobs:
        parts = output.split("/")
        if parts[0] == "results" and parts[2] in ROOMS:
            models = [
                part for part in parts[3:-1] if part in ("plain", "searched", "mixer", "pyramid")
            ]
            if parts[2] == "vision":
                models = [parts[3]]
            found.add(" ".join([rule, *models[:1]]))
        elif parts[0] == "data":
            found.add(rule)
    return found


def test_each_key_reruns_exactly_what_reads_it(finished):
    keys = changes(configuration(finished))
    assert len(keys) > 400
    # All keys that nothing reads at once, such as the settings of data sets that the demo has not.
    silent = [key for key in keys if not expected(key[0])]
    # Others share a dry run if each must rerun jobs that none of the others does.
    shared: list[dict] = []
    for key in keys:
        if jobs := expected(key[0]):
            own = jobs - JOINT or jobs
            free = (one for one in shared if not own & one["jobs"] and not jobs & one["own"])
            one = next(free, None)
            if not one:
                shared.append(one := {"keys": [], "own": set(), "jobs": set()})
            one["keys"].append(key)
            one["own"] |= own
            one["jobs"] |= jobs
    batches = [silent, *(one["keys"] for one in shared)]
    answers = dry_runs(finished, [merged(batch) for batch in batches])
    wrong = []
    for batch, jobs in zip(batches, answers, strict=True):
        wanted = frozenset().union(*(expected(path) for path, _ in batch))
        if named(jobs) != wanted:
            wrong.append(([path for path, _ in batch], named(jobs) ^ wanted))
        if not {rule for rule, _ in jobs} >= SUMMARY:
            wrong.append(([path for path, _ in batch], "no new leaderboard"))
    assert not wrong, "\n".join(map(str, wrong))


def test_the_look_reruns_the_figures_that_have_it(finished):
    looks = {
        "colours.ours": DRAWN | {"build_play"},
        "colours.published": DRAWN | {"build_play"},
        "examples": DRAWN,
        "samples": set(),
        "rows": set(),
    }
    found = [key for key in leaves(configuration(finished)) if key[0].startswith("report.")]
    answers = dry_runs(finished, [merged([(path, changed(path, v))]) for path, v in found])
    wrong = []
    for (path, _), jobs in zip(found, answers, strict=True):
        rules = {rule for rule, _ in jobs} - {"build_report"} - RECORD
        name = path.removeprefix("report.")
        if rules != looks.get(name):
            wrong.append((name, rules))
    assert not wrong, "\n".join(map(str, wrong))
