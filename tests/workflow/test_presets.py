"""What the presets would do, before any of them ran."""

import json
import re
import shlex

import pytest
from harness import planned, snakemake


@pytest.mark.parametrize("room", ["mlp", "vision", "gpt", "dna", "seq2seq"])
def test_a_room_alone_plans_its_own_jobs(fresh, room):
    jobs = set(planned(fresh, change={"rooms": [room]}))
    own = {f"train_{room}", f"evaluate_{room}"}
    own |= {
        "mlp": {"train_rung", "cross_validate_mlp"},
        "gpt": {"train_numpy_gpt", "evaluate_numpy_gpt", "evaluate_twin"},
    }.get(room, set())
    assert {job for job in jobs if job.startswith(("train_", "cross_", "evaluate_"))} == own
    assert jobs >= {"build_leaderboard", "build_report", "build_manifest"}


def test_one_data_set_of_each_family_chooses_its_model(fresh):
    jobs = planned(fresh, preset="dna")
    assert jobs["try_dna"] == 3 + 4 and jobs["choose_dna"] == 2
    assert jobs["find_dna_motifs"] == 9 and jobs["train_dna"] == 2 * 5 + 7 * 3
    of = {"dna": {"settings": {"gue/prom_core_tata": {"choice": {"of": "statlog_dna"}}}}}
    shown = snakemake(fresh, "-n", preset="dna", change=of, check=False)
    assert "gue/prom_core_tata.choice.of: expected a data set with the same choice" in shown


def test_presets_prepare_each_data_set_alike(fresh):
    """Prepared data is shared by all runs: a preset that prepared it otherwise would make the
    results of the others stale."""
    specs = {}
    for preset in ("smoke", "config", "ensemble", "dna", "full"):
        shown = snakemake(fresh, "-n", "-p", "--forceall", preset=preset)
        for line in shown.splitlines():
            if re.search(r"python -m \w+\.(prepare|extract|generate)", line):
                words = shlex.split(line)
                spec = json.loads(words[words.index("--spec") + 1])
                place = next(
                    word for word in words if word.startswith(("data/processed/", "results/"))
                )
                key = words[words.index("python") + 2], place
                specs.setdefault(key, set()).add(json.dumps(spec, sort_keys=True))
    assert len(specs) >= 6 and any(program.endswith("_hog") for program, _ in specs)
    assert {key: len(found) for key, found in specs.items() if len(found) > 1} == {}
