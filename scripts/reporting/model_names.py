"""What a model's name on the leaderboard says: inputs, test-time views, one model or several."""

import re

# Test-time augmentation: the mean over an example and its mirror image, over those moved, or both.
_VIEWS = re.compile(r" \+ (flips and shifts|flips|shifts)\b")
PART = "(test rows not"
# `ensemble of 5 folds, MLP ...` and `Transformer encoder, ensemble of 5 seeds`: of one model.
_FEW = re.compile(r"^ensemble of (\d+ (?:seeds|folds)), |, ensemble of (\d+ (?:seeds|folds))\b")
# `ensemble of 5 folds of MLP ... and 3 seeds of Mixer ...`: of several groups.
_GROUP = re.compile(r"(?:^ensemble of| and) \d+ (?:seeds?|folds?) of ")
_ON = re.compile(r"\bon (.+)$")
# What a room's models read if their names do not say it.
USUAL = {
    "image_classification": "pixels",
    "dna_classification": "nucleotides",
    "translation": "nucleotides",
    "language_modelling": "tokens",
}


def without_views(model: str) -> str:
    """The name of the same model, reading each test example once, as it is."""
    return _VIEWS.sub("", model)


def views(model: str) -> str:
    """Over which views of an example a prediction is the mean: `flips and shifts`; or nothing."""
    found = _VIEWS.search(model)
    return found[1] if found else ""


def is_ensemble(model: str) -> bool:
    """Whether several trained models answer together."""
    return "ensemble of " in model


def member(model: str) -> str:
    """Of an ensemble of the folds or seeds of one model, that model's name; else the name."""
    return _FEW.sub("", without_views(model)).strip()


def members(model: str) -> str:
    """How many of what an ensemble of one model has (`5 folds`), or an empty text."""
    found = _FEW.search(model)
    return found[1] or found[2] if found else ""


def inputs(model: str, task: str) -> str:
    """What a model reads, told from its name: `MLP ... on pixels + HOG` reads pixels + HOG.

    Patches are cut from the pixels; an ensemble reads what its members read, if that is the same.
    """
    name = member(model)
    if is_ensemble(name):
        groups = [part for part in _GROUP.split(name) if part and part != name]
        read = {inputs(part, task) for part in groups}
        return read.pop() if len(read) == 1 else "as its members"
    on = _ON.search(name)
    if not on:
        return USUAL.get(task, "")
    return f"pixels, {on[1]}" if "patches" in on[1] and "pixels" not in on[1] else on[1]
