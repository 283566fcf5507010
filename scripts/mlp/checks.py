"""What does not fit together in config.yaml's section `mlp`: a line for each problem."""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.settings import nearest

if TYPE_CHECKING:
    from mlp.settings import Section

# Folders beside those of the models.
RESERVED = ("common", "cv", "search", "ensemble")
# Pixels of an image's side. Of other data sets the programs find out.
SIDES = {"fashion_mnist": 28, "digits": 8}


def lines(section: "Section") -> Iterator[str]:
    """Every problem, as `<key>: expected ..., found ...`."""
    yield from _names(section)
    known = [m for m in section.models if m in section.recipes and m in section.final]
    folds = section.cv.folds
    if (section.folds_to_train or 0) > folds:
        yield f"folds_to_train: expected at most cv.folds {folds}, found {section.folds_to_train}"
    for model in known:
        yield from _folds(f"final.{model}.fold_models", section.final[model].fold_models, folds)
        yield from _recipe(section, model)
        if side := SIDES.get(section.dataset):
            yield from _image(section, model, side)
    on_pixels = [m for m in known if "pixels" in section.choices(m, "inputs")]
    moved = any(shift for model in on_pixels for shift in section.choices(model, "shift"))
    if section.test_time_shifts and not moved:
        yield "test_time_shifts: expected false, or a model on pixels alone, trained with shifts"
    if "searched" in known:
        yield from _search(section)
    yield from _members(section, known)


def _names(section: "Section") -> Iterator[str]:
    """A model's recipe and its final trainings have one name; `models` has no others."""
    recipes, final = set(section.recipes) - {"common"}, set(section.final)
    for name in sorted(recipes | final):
        here, other, known = "recipes", "final", final
        if name not in recipes:
            here, other, known = "final", "recipes", recipes
        if name in RESERVED or not re.fullmatch("[a-z][a-z0-9_]*", name):
            wanted = "a name of small letters, digits and _, a letter first, and none of"
            yield f"{here}.{name}: expected {wanted} {', '.join(RESERVED)}"
        if name not in known:
            yield f"{here}.{name}: there is no {other}.{name}; {nearest(name, sorted(known))}"
    for name in section.models:
        if name not in recipes | final:
            yield f"models: expected names of recipes, {', '.join(sorted(recipes))}, found {name}"


def _folds(key: str, chosen: Iterable[int], folds: int) -> Iterator[str]:
    if missing := [fold for fold in chosen if fold >= folds]:
        yield f"{key}: expected folds 0 to {folds - 1}, found {', '.join(map(str, missing))}"


def _recipe(section: "Section", model: str) -> Iterator[str]:
    """What a recipe, or a candidate for it, asks for and cannot have."""
    inputs, most = section.choices(model, "inputs"), section.hog.shift
    furthest = max(section.choices(model, "shift"))
    if section.recipes[model].flips and not section.flips:
        yield f"recipes.{model}.flips: expected false, as `flips` is, found true"
    if "hog" in inputs and "mixer" in section.choices(model, "architecture"):
        yield f"recipes.{model}.inputs: expected pixels among the inputs of a mixer, found hog"
    if any("hog" in choice for choice in inputs) and furthest > most:
        yield f"recipes.{model}.shift: expected at most hog.shift {most}, found {furthest}"
    if "batch" in section.choices(model, "norm") and 1 in section.choices(model, "batch_size"):
        yield f"recipes.{model}.batch_size: expected at least 2 with norm batch, found 1"


def _image(section: "Section", model: str, side: int) -> Iterator[str]:
    """What does not fit on an image of `side` pixels: cells of features, tokens, windows."""
    reads_hog = any("hog" in choice for choice in section.choices(model, "inputs"))
    grids = []
    for number, part in enumerate(section.hog.parts if reads_hog else []):
        scikit = part.kind == "dalal_triggs"
        grids.append(side // part.cell - part.block + 1 if scikit else round(side / part.cell))
        if grids[-1] < 1 or (scikit and side % part.cell):
            wanted = f"cells and blocks that fit an image of {side} pixels"
            yield f"hog.parts.{number}.cell: expected {wanted}, found {part.cell}"
    if reads_hog and section.hog.shift >= side:
        yield f"hog.shift: expected less than the image's {side} pixels, found {section.hog.shift}"
    if "mixer" not in section.choices(model, "architecture"):
        return
    for patch in section.choices(model, "patch"):
        if side % patch or any(grid % (side // patch) for grid in grids):
            wanted = f"tokens that divide an image of {side} pixels and the cells of its features"
            yield f"recipes.{model}.patch: expected {wanted}, found {patch}"
        for levels in section.choices(model, "levels"):
            yield from _levels(f"recipes.{model}.levels", levels, max(1, side // patch))


def _levels(key: str, levels: list, tokens: int) -> Iterator[str]:
    """The first level whose window is larger than the tokens, `tokens` along a side, before it."""
    for number, level in enumerate(levels):
        level = level if isinstance(level, dict) else level.model_dump()
        window, stride = level["window"], level["stride"]
        framed = tokens + 2 * ((window - 1) // 2)
        if window > framed:
            most = f"{framed}, as {tokens}x{tokens} tokens are left"
            yield f"{key}.{number}.window: expected at most {most}, found {window}"
            return
        tokens = (framed - window) // stride + 1


def _search(section: "Section") -> Iterator[str]:
    search, rungs = section.search, section.search.rungs
    for number, (rung, after) in enumerate(pairwise(rungs), start=1):
        for key, words, grows in (("candidates", "fewer", -1), ("epochs", "more", 1)):
            value, bound = getattr(after, key), getattr(rung, key)
            if grows * value <= grows * bound:
                wanted = f"{words} than the {bound} of the rung before"
                yield f"search.rungs.{number}.{key}: expected {wanted}, found {value}"
    for number, rung in enumerate(rungs):
        yield from _folds(f"search.rungs.{number}.folds", rung.folds, section.cv.folds)
    most = math.prod(map(len, search.space.values())) + len(search.include)
    if (found := rungs[0].candidates) > most:
        wanted = f"at most {most}, which space and include hold"
        yield f"search.rungs.0.candidates: expected {wanted}, found {found}"
    flips = search.space.get("flips", []) + [c.get("flips") for c in search.include]
    if any(flips) and not section.flips:
        yield "search: expected no flips, as `flips` is false, found some"


def _members(section: "Section", known: list[str]) -> Iterator[str]:
    """Members of the ensemble that nobody trains; `known` have a recipe and final trainings."""
    members = [(member, *member.split("/")) for member in section.ensemble.members]
    if left_out := [member for member, model, _ in members if model not in section.models]:
        wanted = f"members of models, {', '.join(section.models)}, or [] for no ensemble"
        yield f"ensemble.members: expected {wanted}, found {', '.join(left_out)}"
    for member, model, part in members:
        if part == "folds" and model in known and not section.final[model].fold_models:
            yield f"ensemble.members: {member}: final.{model}.fold_models is none"
