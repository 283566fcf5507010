"""What the rules of Part 1 take from the config's section `mlp`: recipes, parts, choices."""

from collections.abc import Mapping

# What a mixer alone reads: the recipe of an mlp goes without it, so that it reruns nothing.
MIXER = (
    "patch",
    "margin",
    "channels",
    "levels",
    "depth",
    "token_width",
    "channel_width",
    "mixer_dropout",
)
# What the grid chooses for `plain`.
GRID = ("lr", "batch_size", "dropout")


def choices(section: Mapping, model: str, key: str) -> list:
    """The values that `key` of `model`'s recipe may have: its own, and those of its candidates."""
    found = [{**section["recipes"]["common"], **section["recipes"][model]}[key]]
    if model == "searched":
        search = section["search"]
        found = search["space"].get(key, found)
        found = found + [entry[key] for entry in search["include"] if key in entry]
    return found


def recipe(section: Mapping, model: str) -> dict:
    """The recipe of `model`: what is common, changed by its own, without what it does not read."""
    found = {**section["recipes"]["common"], **section["recipes"][model]}
    foreign = () if "mixer" in choices(section, model, "architecture") else MIXER
    foreign += GRID if model == "plain" else ()
    return {name: value for name, value in found.items() if name not in foreign}


def reads_hog(section: Mapping, model: str) -> bool:
    """Whether a training of `model` may read features: by its recipe, or by a candidate."""
    return any("hog" in choice for choice in choices(section, model, "inputs"))


def parts(section: Mapping, model: str) -> list[str]:
    """The trainings of `model`: seed1, seed2 ..., and one for each fold that is left out."""
    final = section["final"][model]
    seeds = [f"seed{seed}" for seed in final["seeds"]]
    left_out = final["fold_models"]
    folds = left_out if isinstance(left_out, list) else range(left_out)
    return seeds + [f"fold{fold}" for fold in folds]


def training(section: Mapping, model: str, part: str) -> dict:
    """The settings of train_mlp.py for one model and part. A fold's seed is its number."""
    held_out = part.startswith("fold")
    number = int(part.removeprefix("fold").removeprefix("seed"))
    return {
        **recipe(section, model),
        "epochs": section["final"][model]["epochs"],
        "dataset": section["dataset"],
        "model": model,
        "seed": number,
        "fold": number if held_out else None,
        # Those of a seed do not depend on the folds.
        **(
            {"folds": section["cv"]["folds"], "fold_seed": section["cv"]["fold_seed"]}
            if held_out
            else {}
        ),
        "mirrors": section["flips"],
        "threads": 1,
    }


def rung_folds(section: Mapping, rung: int) -> list[int]:
    """The folds that score the candidates of `rung`: the first, unless the configuration says."""
    return section["search"]["rungs"][rung].get("folds", [0])


def rung_scores(section: Mapping, rung: int) -> list[str]:
    """What a rung trains, by path below the search: all folds of a place, then the next."""
    places, folds = section["search"]["rungs"][rung]["candidates"], rung_folds(section, rung)
    return [f"rung{rung}/{place}.fold{fold}.json" for place in range(places) for fold in folds]


def rung_training(section: Mapping, rung: int, fold: int) -> dict:
    """The settings of train_rung.py for every place of a rung and one fold, less the place."""
    return {
        **recipe(section, "searched"),
        "folds": section["cv"]["folds"],
        "fold_seed": section["cv"]["fold_seed"],
        "dataset": section["dataset"],
        "examples": section["search"]["examples"],
        "rung": rung,
        "epochs": section["search"]["rungs"][rung]["epochs"],
        # The first is the program's default.
        **({"fold": fold} if fold else {}),
    }


def before(rung: int) -> str:
    """The file, under search/, that says who trains in `rung`."""
    return f"rung{rung - 1}/ranking.json" if rung else "candidates.json"


def survivors(section: Mapping, rung: int) -> int:
    """How many candidates of `rung` train on: in the next rung, or, after the last, the one."""
    rungs = section["search"]["rungs"]
    return rungs[rung + 1]["candidates"] if rung + 1 < len(rungs) else 1


def member_models(section: Mapping) -> list[str]:
    """The models that the room's ensemble is made of, each once."""
    return list(dict.fromkeys(name.split("/")[0] for name in section["ensemble"]["members"]))
