"""What the rules take from the section `mlp`: recipes, parts, rungs, specs of programs."""

import copy
import subprocess
import sys

import pytest
import yaml

from mlp import plan
from mlp.settings import FullRecipe, HeldOutSpec, RungSpec, Section, TrainSpec


@pytest.fixture
def raw(repository):
    text = (repository / "config" / "config.yaml").read_text()
    return copy.deepcopy(yaml.safe_load(text)["mlp"])


@pytest.fixture
def section(raw):
    return Section.model_validate(raw)


def test_the_rules_load_neither_numpy_nor_torch_with_the_plan():
    code = "import sys, mlp.plan; print(sorted({'numpy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_every_spec_is_one_that_its_program_takes(section):
    candidate = list(plan.grid_candidates(section))[0]
    HeldOutSpec.model_validate(plan.grid_training(section, candidate, 4))
    for rung, found in enumerate(section.search.rungs):
        for fold in found.folds:
            RungSpec.model_validate(plan.rung_training(section, rung, fold))
    for model in section.models:
        for part in plan.parts(section, model):
            TrainSpec.model_validate(plan.training(section, model, part))


def test_a_recipe_has_what_its_architecture_reads(section):
    plain, mixer, searched = (plan.recipe(section, m) for m in ("plain", "mixer", "searched"))
    assert "hidden" in plain and "patch" not in plain and "channels" not in plain
    assert not {"lr", "batch_size", "dropout"} & set(plain), "the grid chooses them"
    assert "hidden" in mixer and "patch" in mixer and "lr" in mixer
    assert "patch" in searched, "a candidate may be a mixer"
    for found in (plain, mixer, searched):
        FullRecipe.model_validate(found)


def test_who_reads_features(raw):
    raw["recipes"]["searched"]["inputs"] = "pixels"
    del raw["search"]["space"]["inputs"]
    assert not plan.reads_hog(Section.model_validate(raw), "searched")
    raw["search"]["space"]["inputs"] = ["pixels", "pixels+hog"]
    assert plan.reads_hog(Section.model_validate(raw), "searched")
    assert not plan.reads_hog(Section.model_validate(raw), "plain")
    raw["recipes"]["plain"]["inputs"] = "hog"
    assert plan.reads_hog(Section.model_validate(raw), "plain")


def test_the_grid_is_every_combination_with_a_name_each(raw):
    # Snakemake puts the keys that a preset overrides first.
    raw["grid"] = {"dropout": [0.0, 0.2], "lr": [0.1, 0.3], "batch_size": [64]}
    section = Section.model_validate(raw)
    found = plan.grid_candidates(section)
    assert list(found) == [
        "lr-0.1_batch_size-64_dropout-0.0",
        "lr-0.1_batch_size-64_dropout-0.2",
        "lr-0.3_batch_size-64_dropout-0.0",
        "lr-0.3_batch_size-64_dropout-0.2",
    ]
    assert found["lr-0.3_batch_size-64_dropout-0.2"] == {
        "lr": 0.3,
        "batch_size": 64,
        "dropout": 0.2,
    }
    spec = plan.grid_training(section, "lr-0.3_batch_size-64_dropout-0.2", 4)
    assert (spec["lr"], spec["fold"], spec["folds"], spec["epochs"]) == (0.3, 4, 5, 3)


@pytest.mark.parametrize(
    ("folds", "parts"), [(2, ["fold0", "fold1"]), ([3, 1], ["fold3", "fold1"])]
)
def test_parts_and_their_settings(raw, folds, parts):
    raw["final"]["searched"] = {"epochs": 7, "seeds": [3, 4], "fold_models": folds}
    section = Section.model_validate(raw)
    assert plan.parts(section, "searched") == ["seed3", "seed4", *parts]
    seed = plan.training(section, "searched", "seed3")
    fold = plan.training(section, "searched", "fold1")
    assert (seed["seed"], seed["fold"], seed["epochs"]) == (3, None, 7)
    assert (fold["seed"], fold["fold"], fold["folds"]) == (1, 1, 5)
    assert "folds" not in seed, "another number of folds retrains no seed"


def test_rungs(raw):
    raw["search"]["rungs"] = [{"candidates": n, "epochs": 9 - n} for n in (6, 3)]
    raw["search"]["rungs"].append({"candidates": 2, "epochs": 8, "folds": [0, 4]})
    section = Section.model_validate(raw)
    assert [plan.survivors(section, rung) for rung in range(3)] == [3, 2, 1]
    assert plan.before(0) == "candidates.json"
    assert plan.before(2) == "rung1/ranking.json"
    assert plan.rung_scores(section, 1) == [f"rung1/{place}.fold0.json" for place in range(3)]
    assert plan.rung_scores(section, 2) == [
        f"rung2/{place}.fold{fold}.json" for place in range(2) for fold in (0, 4)
    ]
