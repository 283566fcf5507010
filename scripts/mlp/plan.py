"""What the section `mlp` asks of the rules, training by training: specs and names of files."""

from itertools import product

from mlp.settings import GridPoint, Mixer, Section


def recipe(section: Section, model: str) -> dict:
    """The recipe of `model` without what its nets do not read, so that this reruns nothing.

    What only a mixer reads is left out for models that are none; of `plain`, what the grid chooses.
    """
    is_mixer = "mixer" in section.choices(model, "architecture")
    unread = {*(() if is_mixer else Mixer.model_fields)}
    unread |= {*(GridPoint.model_fields if model == "plain" else ())}
    return section.recipes[model].model_dump(exclude=unread)


def reads_hog(section: Section, model: str) -> bool:
    """Whether a training of `model` may read features: by its recipe, or by a candidate."""
    return any("hog" in choice for choice in section.choices(model, "inputs"))


def grid_candidates(section: Section) -> dict[str, dict[str, float]]:
    """Every combination of the grid's values by name: {"lr-0.1_batch_size-64_...": {...}}.

    The name is that of the candidate's folder.
    """
    keys = list(GridPoint.model_fields)
    combinations = product(*(getattr(section.grid, key) for key in keys))
    candidates = [dict(zip(keys, values, strict=True)) for values in combinations]
    return {"_".join(f"{key}-{value}" for key, value in c.items()): c for c in candidates}


def grid_training(section: Section, candidate: str, fold: int) -> dict:
    """The spec of mlp.cross_validate for one candidate, by its name, and one fold."""
    return {
        **recipe(section, "plain"),
        **grid_candidates(section)[candidate],
        **section.cv.model_dump(),
        "dataset": section.dataset,
        "fold": fold,
    }


def rung_scores(section: Section, rung: int) -> list[str]:
    """What a rung trains, by path below search/: all folds of a place, then the next."""
    places, folds = range(section.search.rungs[rung].candidates), section.search.rungs[rung].folds
    return [f"rung{rung}/{place}.fold{fold}.json" for place in places for fold in folds]


def rung_training(section: Section, rung: int, fold: int) -> dict:
    """The spec of mlp.train_rung for every place of a rung and one fold, without the place."""
    return {
        **recipe(section, "searched"),
        **section.cv.model_dump(include={"folds", "fold_seed"}),
        "dataset": section.dataset,
        "examples": section.search.examples,
        "epochs": section.search.rungs[rung].epochs,
        "rung": rung,
        "fold": fold,
    }


def before(rung: int) -> str:
    """The file, under search/, that says who trains in `rung`."""
    return f"rung{rung - 1}/ranking.json" if rung else "candidates.json"


def survivors(section: Section, rung: int) -> int:
    """How many candidates of `rung` train on: in the next rung, or, after the last, the one."""
    rungs = section.search.rungs
    return rungs[rung + 1].candidates if rung + 1 < len(rungs) else 1


def parts(section: Section, model: str) -> list[str]:
    """The final trainings of `model`: seed1, seed2 ..., and fold0 ... for each fold left out."""
    final = section.final[model]
    return [f"seed{seed}" for seed in final.seeds] + [f"fold{fold}" for fold in final.fold_models]


def training(section: Section, model: str, part: str) -> dict:
    """The spec of mlp.train for one model and part. A fold's seed is its number."""
    held_out, number = part.startswith("fold"), int(part[len("fold") :])
    # A training on all images does not depend on the folds.
    folds = section.cv.model_dump(include={"folds", "fold_seed"}) if held_out else {}
    return {
        **recipe(section, model),
        **folds,
        "epochs": section.final[model].epochs,
        "dataset": section.dataset,
        "model": model,
        "seed": number,
        "fold": number if held_out else None,
    }
