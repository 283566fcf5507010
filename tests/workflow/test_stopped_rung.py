"""A rung's training that is stopped leaves no result that Snakemake takes for a current one."""

from harness import copy_repository, planned, pretend, snakemake

SCORE = "results/demo/mlp/search/rung0/0.fold0.json"
LONGER = {"mlp": {"search": {"rungs": [{"candidates": 4, "epochs": 6}]}}}


def test_a_rung_that_is_stopped_while_it_trains_again_is_planned_again(repository, tmp_path):
    folder = copy_repository(repository, tmp_path / "copy")
    pretend(folder, SCORE)
    assert planned(folder, SCORE) == {}
    killed = folder / "killed"
    killed.mkdir()
    (killed / "python").write_text("#!/bin/sh\nkill -9 $$\n")
    (killed / "python").chmod(0o755)
    shown = snakemake(folder, SCORE, change=LONGER, check=False, programs=killed)
    assert "Error in rule train_rung" in shown
    assert not (folder / SCORE).exists()
    # Nor does it pass for the result of the settings of before.
    for change in (LONGER, None):
        assert planned(folder, SCORE, change=change) == {"train_rung": 1}
