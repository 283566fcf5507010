"""The config's section `mlp`: types, ranges, and what does not fit together, a line each."""

import copy

import pytest
import yaml
from pydantic import ValidationError

from mlp.settings import FullRecipe, HeldOutSpec, Recipe, RungSpec, Section, TrainSpec
from pipeline.settings import problems


@pytest.fixture
def section(repository):
    text = (repository / "config" / "config.yaml").read_text()
    return copy.deepcopy(yaml.safe_load(text)["mlp"])


@pytest.fixture
def four(section):
    """The manual with all four of its models, and an ensemble of three."""
    section["models"] = ["plain", "searched", "mixer", "pyramid"]
    section["ensemble"]["members"] = ["searched/seeds", "mixer/folds", "pyramid/folds"]
    return section


def lines(section):
    try:
        Section.model_validate(section)
    except ValidationError as error:
        return problems(error, Section)
    return []


def changed(section, path, value):
    *parents, last = (int(name) if name.isdigit() else name for name in path.split("."))
    node = section
    for name in parents:
        node = node[name]
    node[last] = value
    return lines(section)


def test_the_manual_fits_together_and_shows_every_key_of_a_recipe(section):
    assert lines(section) == []
    assert set(section["recipes"]["common"]) == set(Recipe.model_fields)


@pytest.mark.parametrize("preset", ["demo", "smoke", "ensemble", "full"])
def test_the_presets_fit_together(repository, section, preset):
    def merge(old, new):
        if not (isinstance(old, dict) and isinstance(new, dict)):
            return new
        return old | {key: merge(old.get(key), value) for key, value in new.items()}

    text = (repository / "config" / f"{preset}.yaml").read_text()
    assert lines(merge(section, yaml.safe_load(text)["mlp"])) == []


RUNGS = [{"candidates": 4, "epochs": 2}, {"candidates": 4, "epochs": 2}]
WIDE = {"window": 2, "stride": 14, "channels": 8}


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        # Types and ranges, of whole recipes and of parts of one.
        ("recipes.common.lr", 0, "recipes.common.lr: expected a number above 0"),
        ("recipes.plain.lr", "1e-3", 'recipes.plain.lr: expected a number, found "1e-3"'),
        ("recipes.plain.hiden", [3], "recipes.plain.hiden: unknown key; did you mean 'hidden'?"),
        ("recipes.pyramid.levels", [{"window": 0, "stride": 1, "channels": 1}], "levels.0.window:"),
        ("recipes.plain", 3, "recipes.plain: expected keys with values, found 3"),
        ("recipes", {"plain": {}}, "recipes.common: missing"),
        ("recipes.common", [1], "recipes.common: expected keys with values, found [1]"),
        ("recipes", 3, "recipes: expected keys with values, found 3"),
        ("search.space.lr", [0.1, -1], "search.space.lr.1: expected a number above 0"),
        ("search.space.norm", ["bach"], "search.space.norm.0: expected 'none', 'batch' or 'layer'"),
        ("search.space.hidden", [[8], [8]], "search.space.hidden: expected each entry once"),
        ("search.space.epochs", [3], "search.space.epochs: unknown key"),
        ("search.include", [{}, {"lrr": 1}], "search.include.1.lrr: unknown key"),
        ("grid.lr", [0.1, 0.1], "grid.lr: expected each entry once, found 0.1 twice"),
        (
            "final.plain.fold_models",
            "two",
            "final.plain.fold_models: expected 0 to 100 folds, or a list of",
        ),
        ("final.plain.fold_models", 101, "final.plain.fold_models: expected 0 to 100 folds"),
        ("final.plain.fold_models", [1, 1], "final.plain.fold_models: expected each entry once"),
        ("ensemble.members", ["mixer"], "ensemble.members.0: expected a model's name with /seeds"),
        ("recipes.mixer.batch_size", 1, "recipes.mixer.norm: expected none or layer with batch_"),
        # What fits together.
        ("folds_to_train", 9, "folds_to_train: expected at most cv.folds 5, found 9"),
        ("final.plain.fold_models", 6, "final.plain.fold_models: expected folds 0 to 4, found 5"),
        ("final.plain.fold_models", [4, 7], "fold_models: expected folds 0 to 4, found 7"),
        ("flips", False, "recipes.searched.flips: expected false, as `flips` is, found true"),
        ("recipes.pyrmid", {}, "recipes.pyrmid: there is no final.pyrmid; did you mean 'pyramid'?"),
        ("final.other", {"epochs": 1, "seeds": [1], "fold_models": 0}, "there is no recipes.other"),
        ("recipes.Odd", {}, "recipes.Odd: expected a name of small letters, digits and _"),
        ("recipes.search", {}, "recipes.search: expected a name"),
        ("models", ["plain", "third"], "models: expected names of recipes, mixer, plain, pyramid"),
        ("recipes.mixer.inputs", "hog", "recipes.mixer.inputs: expected pixels among the inputs"),
        ("search.space.shift", [0, 3], "recipes.searched.shift: expected at most hog.shift 1"),
        ("grid.batch_size", [1, 64], "recipes.plain.batch_size: expected at least 2 with norm"),
        ("search.rungs", RUNGS, "search.rungs.1.candidates: expected fewer than the 4"),
        ("search.rungs", RUNGS, "search.rungs.1.epochs: expected more than the 2"),
        (
            "search.rungs",
            [{"candidates": 4, "epochs": 2, "folds": [0, 4, 5]}],
            "search.rungs.0.folds: expected folds 0 to 4, found 5",
        ),
        ("search.space", {"lr": [0.1]}, "search.rungs.0.candidates: expected at most 3"),
        ("final.mixer.fold_models", [], "mixer/folds: final.mixer.fold_models is none"),
        ("final.mixer.fold_models", 0, "mixer/folds: final.mixer.fold_models is none"),
        (
            "ensemble.members",
            ["mixer/seeds", "other/folds"],
            "ensemble.members: expected members of models, plain, searched",
        ),
        # What does not fit on an image of 28 pixels.
        ("recipes.mixer.patch", 5, "recipes.mixer.patch: expected tokens that divide an image"),
        ("hog.parts.0.cell", 8, "recipes.mixer.patch: expected tokens that divide an image"),
        (
            "hog.parts.0",
            {"kind": "dalal_triggs", "cell": 5},
            "hog.parts.0.cell: expected cells and blocks that fit an image of 28 pixels, found 5",
        ),
        (
            "recipes.pyramid.levels",
            [{"window": 3, "stride": 7, "channels": 8}, {"window": 2, "stride": 1, "channels": 8}],
            "recipes.pyramid.levels.1.window: expected at most 1, as 1x1 tokens are left, found 2",
        ),
    ],
)
def test_what_is_wrong_is_a_line(four, path, value, line):
    if path == "grid.batch_size":
        four["recipes"]["plain"]["norm"] = "batch"
    found = changed(four, path, value)
    assert any(line in one for one in found), found
    assert all("\n" not in one for one in found)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("recipes.common.lr", 0),  # not once more for each model
        ("recipes.plain.lr", "1e-3"),
        ("final.plain.fold_models", "two"),  # not once for each type that it may have
        ("search.space.lr", [0.1, -1]),
        ("search.space.lrr", [0.1, 0.2]),
    ],
)
def test_one_mistake_is_one_line(section, path, value):
    assert len(changed(section, path, value)) == 1


def test_several_mistakes_are_a_line_each(four):
    four["folds_to_train"], four["recipes"]["mixer"]["inputs"] = 9, "hog"
    four["search"]["include"] = [{"lrr": 1}, {"lr": -1}]
    assert [line.partition(":")[0] for line in lines(four)] == [
        *("search.include.0.lrr", "search.include.1.lr")
    ]
    four["search"]["include"] = []
    four["search"]["rungs"][0]["candidates"] = 4
    assert [line.partition(":")[0] for line in lines(four)] == [
        *("folds_to_train", "recipes.mixer.inputs", "search.rungs.1.candidates")
    ]


def test_members_of_models_that_are_left_out_are_one_line(section):
    section["recipes"]["wide"], section["final"]["wide"] = {}, section["final"]["plain"]
    section["ensemble"]["members"] = ["searched/folds", "wide/seeds", "searched/seeds"]
    assert changed(section, "models", ["wide", "plain"]) == [
        "ensemble.members: expected members of models, wide, plain, or [] for no ensemble, found"
        " searched/folds, searched/seeds"
    ]
    assert changed(section, "ensemble.members", []) == []


def test_a_member_of_a_model_without_a_recipe_is_reported_as_the_model(section):
    section["ensemble"]["members"] = ["third/seeds"]
    found = changed(section, "models", ["third"])
    assert [line for line in found if "third/seeds" in line] == []
    assert any("models: expected names of recipes" in line for line in found)


def test_shifted_test_images_need_a_net_that_was_trained_with_shifts(section):
    assert changed(section, "test_time_shifts", True) == []
    wanted = "test_time_shifts: expected false, or a model on pixels alone"
    assert any(wanted in line for line in changed(section, "models", ["mixer"]))
    assert not any(wanted in line for line in changed(section, "models", ["plain"]))
    assert any(wanted in line for line in changed(section, "recipes.plain.shift", 0))


def test_no_flips_in_the_search_where_they_are_of_another_class(section):
    section["flips"] = False
    for key, value in (("include", [{"flips": True}]), ("space", {"flips": [False, True]})):
        found = changed(copy.deepcopy(section), f"search.{key}", value)
        assert any("search: expected no flips" in line for line in found)


def test_each_recipe_is_the_common_one_changed_by_its_own(section):
    found = Section.model_validate(section).recipes
    assert found["common"].weight_decay == 0.0005 and found["plain"].weight_decay == 0.0002
    assert found["pyramid"].levels[1].window == 3 and found["pyramid"].token_width == 98
    assert found["plain"].hidden == found["common"].hidden == [512, 256]


def test_the_choices_of_a_key_are_those_of_the_recipe_and_of_its_candidates(section):
    section["search"]["include"] = [{"lr": 0.5}]
    found = Section.model_validate(section)
    assert found.choices("mixer", "lr") == [0.002]
    assert found.choices("searched", "lr") == [0.001, 0.002, 0.003, 0.5]
    assert found.choices("searched", "norm") == ["batch"]
    assert found.choices("plain", "lr") == [0.1, 0.2, 0.4]


@pytest.mark.parametrize("spec", [HeldOutSpec, RungSpec, TrainSpec])
def test_the_specs_of_trainings_hold_a_full_recipe(spec):
    assert set(FullRecipe.model_fields) < set(spec.model_fields)
    assert set(FullRecipe.model_fields) - set(Recipe.model_fields) == {"epochs"}
