"""What a model's name on the leaderboard says: inputs, test-time views, one model or several."""

import re

# Test-time augmentation: the mean over an example and its mirror image, over those moved, or both.
_VIEWS = re.compile(r" \+ (flips and shifts|flips|shifts)\b")
PART = "(test rows not"
# `ensemble of 5 folds, MLP ...` and `Transformer encoder, ensemble of 5 seeds`: of one model.
_FEW = re.compile(r"^ensemble of (\d+ (?:seeds|folds)), |, ensemble of (\d+ (?:seeds|folds))\b")
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

    An ensemble of several models names them, not what they read.
    """
    name = member(model)
    if is_ensemble(name):
        return "as its members"
    on = _ON.search(name)
    return on[1] if on else USUAL.get(task, "")
