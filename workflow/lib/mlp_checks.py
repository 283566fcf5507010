"""What does not fit together inside the config's section `mlp`: a line for each problem."""

import difflib
import math
from collections.abc import Iterator, Mapping

from mlp_recipes import choices


def lines(section: Mapping) -> Iterator[str]:
    """Every problem that the schema cannot see."""
    yield from _names(section)
    folds, recipes = section["cv"]["folds"], section["recipes"]
    models = [
        model for model in section["models"] if model in recipes and model in section["final"]
    ]
    if (section["folds_to_train"] or 0) > folds:
        yield (
            f"mlp.folds_to_train: expected at most cv.folds = {folds}, "
            f"found {section['folds_to_train']}"
        )
    for model in models:
        found = section["final"][model]["fold_models"]
        if isinstance(found, list):
            if missing := [fold for fold in found if fold >= folds]:
                yield (
                    f"mlp.final.{model}.fold_models: expected folds 0 to {folds - 1}, "
                    f"found {', '.join(map(str, missing))}"
                )
        elif found > folds:
            yield (
                f"mlp.final.{model}.fold_models: expected at most cv.folds = {folds}, found {found}"
            )
        recipe = {**section["recipes"]["common"], **section["recipes"][model]}
        if recipe["flips"] and not section["flips"]:
            yield f"mlp.recipes.{model}.flips: expected false, as mlp.flips is, found true"
        seen, stored = choices(section, model, "inputs"), section["hog"]["shift"]
        if "hog" in seen and "mixer" in choices(section, model, "architecture"):
            yield f"mlp: {model}: expected pixels among the inputs of a mixer, found hog alone"
        furthest = max(choices(section, model, "shift"))
        if any("hog" in name for name in seen) and furthest > stored:
            yield (
                f"mlp: {model}: expected a shift of at most hog.shift = {stored}, for which "
                f"features are stored, found {furthest}"
            )
    moving = (
        "pixels" in choices(section, model, "inputs") and max(choices(section, model, "shift")) > 0
        for model in models
    )
    if section["test_time_shifts"] and not any(moving):
        yield (
            "mlp.test_time_shifts: expected false, or a model on pixels alone that is trained with"
            f" shifts, found none among {', '.join(models)}"
        )
    if "searched" in models:
        yield from _search(section)
    yield from _members(section, models)


def _members(section: Mapping, models: list[str]) -> Iterator[str]:
    """Members of the ensemble that nobody trains; `models` have a recipe and final trainings."""
    members = [(member, *member.split("/")) for member in section["ensemble"]["members"]]
    left_out = [member for member, model, _ in members if model not in section["models"]]
    if left_out:
        belong = "belong to models" if len(left_out) > 1 else "belongs to a model"
        kept = f", or members of these models, as {models[0]}/seeds" if models else ""
        yield (
            f"mlp.ensemble.members: {', '.join(left_out)} {belong} that mlp.models"
            f" ([{', '.join(section['models'])}]) leaves out; write members: [] for no"
            f" ensemble{kept}"
        )
    for member, model, part in members:
        if part == "folds" and model in models and not section["final"][model]["fold_models"]:
            yield f"mlp.ensemble.members: {member}: mlp.final.{model}.fold_models is none"


def _names(section: Mapping) -> Iterator[str]:
    """A model's recipe and its final trainings have one name; `models` has no others."""
    recipes, final = set(section["recipes"]) - {"common"}, set(section["final"])
    sections = ("recipes", recipes), ("final", final)
    for (part, names), (other, known) in (sections, sections[::-1]):
        for name in sorted(names - known):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"mlp.{part}.{name}: there is no mlp.{other}.{name}{hint}"
    for name in section["models"]:
        if name not in recipes | final:
            yield (
                f"mlp.models: expected names of recipes, {', '.join(sorted(recipes))}, found {name}"
            )


def _search(section: Mapping) -> Iterator[str]:
    search = section["search"]
    rungs = search["rungs"]
    for number, (rung, after) in enumerate(zip(rungs, rungs[1:], strict=False), start=1):
        if after["candidates"] >= rung["candidates"]:
            yield (
                f"mlp.search.rungs.{number}.candidates: expected fewer than the "
                f"{rung['candidates']} of the rung before, found {after['candidates']}"
            )
        if after["epochs"] <= rung["epochs"]:
            yield (
                f"mlp.search.rungs.{number}.epochs: expected more than the "
                f"{rung['epochs']} of the rung before, found {after['epochs']}"
            )
    folds = section["cv"]["folds"]
    for number, rung in enumerate(rungs):
        if missing := [fold for fold in rung.get("folds", []) if fold >= folds]:
            yield (
                f"mlp.search.rungs.{number}.folds: expected folds 0 to {folds - 1}, "
                f"found {', '.join(map(str, missing))}"
            )
    space = math.prod(len(values) for values in search["space"].values())
    if rungs[0]["candidates"] > space + len(search["include"]):
        yield (
            f"mlp.search.rungs.0.candidates: expected at most {space + len(search['include'])}, "
            f"which space and include hold, found {rungs[0]['candidates']}"
        )
    if not section["flips"]:
        candidates = [*search["include"], {"flips": any(search["space"].get("flips", []))}]
        if any(candidate.get("flips") for candidate in candidates):
            yield "mlp.search: expected no flips, as mlp.flips is false, found some"
