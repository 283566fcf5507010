"""What does not fit together in config.yaml's section `mlp`: a line for each problem."""

import difflib
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

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
    if section.test_time_shifts and not any(_moves(section, model) for model in known):
        yield (
            "test_time_shifts: expected false, or a model on pixels alone that is trained with"
            f" shifts, found none among {', '.join(known)}"
        )
    if "searched" in known:
        yield from _search(section)
    yield from _members(section, known)


def _names(section: "Section") -> Iterator[str]:
    """A model's recipe and its final trainings have one name; `models` has no others."""
    recipes, final = set(section.recipes) - {"common"}, set(section.final)
    for name in sorted(recipes | final):
        if name in RESERVED or not re.fullmatch("[a-z][a-z0-9_]*", name):
            yield (
                f"{'recipes' if name in recipes else 'final'}.{name}: expected a name of small"
                f" letters, digits and _, a letter first, and none of {', '.join(RESERVED)}"
            )
    sections = ("recipes", recipes), ("final", final)
    for (part, names), (other, known) in (sections, sections[::-1]):
        for name in sorted(names - known):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"{part}.{name}: there is no {other}.{name}{hint}"
    for name in section.models:
        if name not in recipes | final:
            yield f"models: expected names of recipes, {', '.join(sorted(recipes))}, found {name}"


def _folds(key: str, chosen: Iterable[int], folds: int) -> Iterator[str]:
    if missing := [fold for fold in chosen if fold >= folds]:
        yield f"{key}: expected folds 0 to {folds - 1}, found {', '.join(map(str, missing))}"


def _moves(section: "Section", model: str) -> bool:
    """Whether a net of this model may be one on pixels alone that is trained with shifts."""
    on_pixels = "pixels" in section.choices(model, "inputs")
    return on_pixels and max(section.choices(model, "shift")) > 0


def _recipe(section: "Section", model: str) -> Iterator[str]:
    """What a recipe, or a candidate for it, asks for and cannot have."""
    inputs, furthest = section.choices(model, "inputs"), max(section.choices(model, "shift"))
    if section.recipes[model].flips and not section.flips:
        yield f"recipes.{model}.flips: expected false, as `flips` is, found true"
    if "hog" in inputs and "mixer" in section.choices(model, "architecture"):
        yield f"recipes.{model}.inputs: expected pixels among the inputs of a mixer, found hog"
    if any("hog" in choice for choice in inputs) and furthest > section.hog.shift:
        yield (
            f"recipes.{model}.shift: expected at most hog.shift {section.hog.shift}, for which"
            f" features are stored, found {furthest}"
        )
    if "batch" in section.choices(model, "norm") and 1 in section.choices(model, "batch_size"):
        yield f"recipes.{model}.batch_size: expected at least 2 with norm batch, found 1"


def _image(section: "Section", model: str, side: int) -> Iterator[str]:
    """What does not fit on an image of `side` pixels: cells of features, tokens, windows."""
    reads_hog = any("hog" in choice for choice in section.choices(model, "inputs"))
    grids = []
    for number, part in enumerate(section.hog.parts if reads_hog else []):
        if part.kind == "dalal_triggs":
            grids.append(side // part.cell - part.block + 1)
            fits = side % part.cell == 0 and grids[-1] > 0
        else:
            grids.append(round(side / part.cell))
            fits = grids[-1] > 0
        if not fits:
            yield (
                f"hog.parts.{number}.cell: expected cells and blocks that fit an image of {side}"
                f" pixels, found {part.cell}"
            )
    if reads_hog and section.hog.shift >= side:
        yield f"hog.shift: expected less than the image's {side} pixels, found {section.hog.shift}"
    if "mixer" not in section.choices(model, "architecture"):
        return
    for patch in section.choices(model, "patch"):
        if side % patch or any(grid % (side // patch) for grid in grids):
            yield (
                f"recipes.{model}.patch: expected tokens that divide an image of {side} pixels and"
                f" the cells of its features, found {patch}"
            )
        for levels in section.choices(model, "levels"):
            tokens = max(1, side // patch)  # along a side
            for number, level in enumerate(levels):
                window, stride = (
                    (level[key] if isinstance(level, dict) else getattr(level, key))
                    for key in ("window", "stride")
                )
                framed = tokens + 2 * ((window - 1) // 2)
                if window > framed:
                    yield (
                        f"recipes.{model}.levels.{number}.window: expected at most {framed}, as"
                        f" {tokens}x{tokens} tokens are left, found {window}"
                    )
                    break
                tokens = (framed - window) // stride + 1


def _search(section: "Section") -> Iterator[str]:
    search, rungs = section.search, section.search.rungs
    for number, (rung, after) in enumerate(zip(rungs, rungs[1:], strict=False), start=1):
        if after.candidates >= rung.candidates:
            yield (
                f"search.rungs.{number}.candidates: expected fewer than the {rung.candidates} of"
                f" the rung before, found {after.candidates}"
            )
        if after.epochs <= rung.epochs:
            yield (
                f"search.rungs.{number}.epochs: expected more than the {rung.epochs} of the rung"
                f" before, found {after.epochs}"
            )
    for number, rung in enumerate(rungs):
        yield from _folds(f"search.rungs.{number}.folds", rung.folds, section.cv.folds)
    most = math.prod(map(len, search.space.values())) + len(search.include)
    if rungs[0].candidates > most:
        yield (
            f"search.rungs.0.candidates: expected at most {most}, which space and include hold,"
            f" found {rungs[0].candidates}"
        )
    flips = search.space.get("flips", []) + [c.get("flips") for c in search.include]
    if any(flips) and not section.flips:
        yield "search: expected no flips, as `flips` is false, found some"


def _members(section: "Section", known: list[str]) -> Iterator[str]:
    """Members of the ensemble that nobody trains; `known` have a recipe and final trainings."""
    members = [(member, *member.split("/")) for member in section.ensemble.members]
    if left_out := [member for member, model, _ in members if model not in section.models]:
        belong = "belong to models" if len(left_out) > 1 else "belongs to a model"
        kept = f", or members of these models, as {known[0]}/seeds" if known else ""
        yield (
            f"ensemble.members: {', '.join(left_out)} {belong} that `models`"
            f" ([{', '.join(section.models)}]) leaves out; write members: [] for no ensemble{kept}"
        )
    for member, model, part in members:
        if part == "folds" and model in known and not section.final[model].fold_models:
            yield f"ensemble.members: {member}: final.{model}.fold_models is none"
