"""The config's section `mlp`: what does not fit together, and what the rules take from it."""

import copy
from pathlib import Path

import mlp_checks
import mlp_recipes
import pytest
import yaml

from mlp.recipe import Recipe


@pytest.fixture
def section(repository):
    text = Path(repository / "config" / "config.yaml").read_text()
    return copy.deepcopy(yaml.safe_load(text)["mlp"])


def changed(section, path, value):
    *parents, last = path.split(".")
    node = section
    for name in parents:
        node = node[int(name)] if isinstance(node, list) else node[name]
    node[last] = value
    return list(mlp_checks.lines(section))


def test_the_manual_fits_together(section):
    assert list(mlp_checks.lines(section)) == []


RUNGS = [{"candidates": 4, "epochs": 2}, {"candidates": 4, "epochs": 2}]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("folds_to_train", 9, "mlp.folds_to_train: expected at most cv.folds = 5, found 9"),
        ("final.plain.fold_models", 6, "mlp.final.plain.fold_models: expected at most cv.folds"),
        (
            "final.plain.fold_models",
            [4, 5],
            "final.plain.fold_models: expected folds 0 to 4, found 5",
        ),
        ("flips", False, "mlp.recipes.searched.flips: expected false"),
        (
            "recipes.pyrmid",
            {},
            "mlp.recipes.pyrmid: there is no mlp.final.pyrmid; did you mean 'pyramid",
        ),
        ("final.other", {"fold_models": 0}, "mlp.final.other: there is no mlp.recipes.other"),
        ("models", ["plain", "third"], "mlp.models: expected names of recipes, mixer, plain"),
        ("recipes.mixer.inputs", "hog", "mlp: mixer: expected pixels among the inputs"),
        ("search.space.shift", [0, 3], "mlp: searched: expected a shift of at most hog.shift = 1"),
        ("search.rungs", RUNGS, "mlp.search.rungs.1.candidates: expected fewer than the 4"),
        ("search.rungs", RUNGS, "mlp.search.rungs.1.epochs: expected more than the 2"),
        (
            "search.rungs",
            [{"candidates": 4, "epochs": 2, "folds": [0, 4, 5]}],
            "mlp.search.rungs.0.folds: expected folds 0 to 4, found 5",
        ),
        ("search.space", {"lr": [0.1]}, "mlp.search.rungs.0.candidates: expected at most 3"),
        ("final.mixer.fold_models", [], "mixer/folds: mlp.final.mixer.fold_models is none"),
        ("final.mixer.fold_models", 0, "mixer/folds: mlp.final.mixer.fold_models is none"),
        (
            "ensemble.members",
            ["mixer/seeds", "other/folds"],
            "mlp.ensemble.members: other/folds belongs to a model that",
        ),
    ],
)
def test_what_does_not_fit_is_a_line(section, path, value, message):
    assert any(message in line for line in changed(section, path, value))


def test_members_of_models_that_are_left_out_are_one_line(section):
    section["recipes"]["wide"], section["final"]["wide"] = {}, section["final"]["plain"]
    section["ensemble"]["members"] = ["searched/folds", "wide/seeds", "searched/seeds"]
    assert changed(section, "models", ["wide", "plain"]) == [
        "mlp.ensemble.members: searched/folds, searched/seeds belong to models that mlp.models"
        " ([wide, plain]) leaves out; write members: [] for no ensemble, or members of these"
        " models, as wide/seeds"
    ]
    assert changed(section, "ensemble.members", []) == []


def test_a_member_of_a_model_without_a_recipe_is_told_as_the_model(section):
    section["ensemble"]["members"] = ["third/seeds"]
    lines = changed(section, "models", ["third"])
    assert [line for line in lines if "third/seeds" in line] == []
    assert any("mlp.models: expected names of recipes" in line for line in lines)


def test_moved_test_images_need_a_net_that_was_trained_with_moved_ones(section):
    assert changed(section, "test_time_shifts", True) == []
    wanted = "mlp.test_time_shifts: expected false, or a model on pixels alone"
    assert any(wanted in line for line in changed(section, "models", ["mixer"]))
    assert not any(wanted in line for line in changed(section, "models", ["plain"]))
    assert any(wanted in line for line in changed(section, "recipes.plain.shift", 0))


def test_a_recipe_has_what_its_architecture_reads(section):
    plain, mixer = (mlp_recipes.recipe(section, model) for model in ("plain", "mixer"))
    assert "hidden" in plain and "patch" not in plain and "channels" not in plain
    assert "hidden" in mixer and "patch" in mixer
    assert "patch" in mlp_recipes.recipe(section, "searched"), "a candidate may be a mixer"
    for found in (plain, mixer, mlp_recipes.recipe(section, "searched")):
        Recipe.model_validate(found)
    every = set(section["recipes"]["common"]) | {"epochs"}
    assert every == set(Recipe.model_fields), "the manual shows every key of a recipe"


def test_parts_and_their_settings(section):
    section["final"]["searched"] = {"epochs": 7, "seeds": [3, 4], "fold_models": 2}
    assert mlp_recipes.parts(section, "searched") == ["seed3", "seed4", "fold0", "fold1"]
    seed = mlp_recipes.training(section, "searched", "seed3")
    fold = mlp_recipes.training(section, "searched", "fold1")
    assert (seed["seed"], seed["fold"], seed["epochs"]) == (3, None, 7)
    assert (fold["seed"], fold["fold"], fold["folds"]) == (1, 1, 5)
    assert "folds" not in seed, "another number of folds retrains no seed"


def test_who_reads_features(section):
    section["recipes"]["searched"]["inputs"] = "pixels"
    del section["search"]["space"]["inputs"]
    assert not mlp_recipes.reads_hog(section, "searched")
    section["search"]["space"]["inputs"] = ["pixels", "pixels+hog"]
    assert mlp_recipes.reads_hog(section, "searched")
    assert not mlp_recipes.reads_hog(section, "plain")
    section["recipes"]["plain"]["inputs"] = "hog"
    assert mlp_recipes.reads_hog(section, "plain")


def test_rungs(section):
    section["search"]["rungs"] = [{"candidates": n, "epochs": 9 - n} for n in (6, 3, 2)]
    assert [mlp_recipes.survivors(section, rung) for rung in range(3)] == [3, 2, 1]
    assert mlp_recipes.before(0) == "candidates.json"
    assert mlp_recipes.before(2) == "rung1/ranking.json"


def test_no_mirror_images_in_the_search_where_they_are_of_another_class(section):
    section["flips"] = False
    for key, value in (("include", [{"flips": True}]), ("space", {"flips": [False, True]})):
        lines = changed(copy.deepcopy(section), f"search.{key}", value)
        assert any("mlp.search: expected no flips" in line for line in lines)
