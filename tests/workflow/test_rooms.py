"""A run that is made room by room: what runs, and what leaderboard and report then cover."""

import pytest
from harness import copy_repository, planned, pretend, snakemake

ROOM = {"rooms": ["seq2seq"]}


@pytest.fixture(scope="module")
def two_goes(repository, tmp_path_factory):
    """A copy in which a first go made seq2seq alone."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("rooms") / "copy")
    pretend(folder, change=ROOM)
    return folder


def inputs(folder, rule, change):
    """The inputs of a rule's job, as a dry run shows them."""
    shown = snakemake(folder, "-n", "--forcerun", rule, change=change)
    block = shown.split(f"rule {rule}:")[1]
    return block.split("    input: ")[1].splitlines()[0].split(", ")


def test_another_room_leaves_the_first_one_alone_and_shows_it(two_goes):
    other = {"rooms": ["dna"]}
    jobs = planned(two_goes, change=other)
    assert {"train_dna", "evaluate_dna", "build_leaderboard", "build_report"} <= set(jobs)
    assert not any("seq2seq" in rule or "gpt" in rule or "mlp" in rule for rule in jobs)
    read = inputs(two_goes, "build_leaderboard", other)
    assert read[:3] == [
        "results/demo/dna/planted_motifs/metrics.json",
        "results/demo/dna/planted_motifs/baselines.json",
        "results/demo/seq2seq/metrics.json",
    ]
    read = inputs(two_goes, "build_manifest", other)
    assert "results/demo/seq2seq/attention.npz" in read
    assert not any("/gpt" in path or "/mlp" in path for path in read)


def test_a_changed_setting_of_a_room_that_does_not_run_reruns_nothing_of_it(two_goes):
    change = {"rooms": ["dna"], "seq2seq": {"training": {"lr": 0.001}}}
    assert "train_seq2seq" not in planned(two_goes, change=change)
    assert "train_seq2seq" in planned(two_goes, change=change | {"rooms": ["seq2seq", "dna"]})


def test_the_whole_run_afterwards_makes_the_other_rooms_alone(two_goes):
    jobs = planned(two_goes)
    assert {"train_dna", "train_gpt", "train_mlp", "train_vision"} <= set(jobs)
    assert "train_seq2seq" not in jobs and "evaluate_seq2seq" not in jobs
