"""What a model's name on the leaderboard says: inputs, test-time flips, one model or several."""

import re

FLIPS = " + flips"
PART = "(test rows not"
_FEW = re.compile(r",? ?ensemble of (\d+ (?:seeds|folds)),? ?")
_ON = re.compile(r"\bon (.+)$")
# What a room's models read if their names do not say it.
USUAL = {
    "image_classification": "pixels",
    "dna_classification": "nucleotides",
    "translation": "nucleotides",
    "language_modelling": "tokens",
}


def without_flips(model: str) -> str:
    """The name of the same model without the mirrored second reading of each test example."""
    return model.replace(FLIPS, "")


def flipped(model: str) -> bool:
    """Whether a prediction is the mean over an example and its mirror image."""
    return FLIPS in model


def is_ensemble(model: str) -> bool:
    """Whether several trained models answer together."""
    return "ensemble of " in model


def member(model: str) -> str:
    """Of an ensemble of the folds or seeds of one model, that model's name; else the name."""
    return _FEW.sub("", without_flips(model)).strip()


def members(model: str) -> str:
    """How many of what an ensemble has (`5 folds`), or an empty text."""
    found = _FEW.search(model)
    return found[1] if found else ""


def inputs(model: str, task: str) -> str:
    """What a model reads, told from its name: `MLP ... on pixels + HOG` reads pixels + HOG.

    Patches are cut from the pixels; a mix of different models reads what each of them reads.
    """
    name = member(model)
    if is_ensemble(name):
        return "as its members"
    on = _ON.search(name)
    if not on:
        return USUAL.get(task, "")
    return f"pixels, {on[1]}" if "patches" in on[1] and "pixels" not in on[1] else on[1]
