"""A search by successive halving, read from its rungs: who ran how far, and what it cost.

A rung is a ranking.json: its candidates, best first, and how many go on (survivors).
"""

from collections.abc import Iterable, Mapping

# Keys of a recipe that people read more easily in other words.
SHORT = {"batch_size": "batch", "weight_decay": "decay", "label_smoothing": "smoothing",
         "ema_decay": "average", "clip_norm": "clip"}  # fmt: skip

# What an mlp does not read of a recipe that could have been a mixer's.
MIXER = ("patch", "margin", "channels", "levels", "depth", "token_width", "channel_width",
         "mixer_dropout")  # fmt: skip


def shown(rung: Mapping) -> dict:
    """The rung with what page and figure say of it; folds: how many score each candidate."""
    candidates, spent = rung["candidates"], rung["seconds"]
    return {
        **rung,
        "folds": len(rung.get("folds", [0])),
        "seconds": f"{spent:.{0 if spent >= 10 else 1}f}",
        "diverged": sum(candidate["accuracy"] is None for candidate in candidates),
        "leader": candidates[0]["candidate"],
    }


def searches(rungs: Iterable[Mapping]) -> list[list[dict]]:
    """Rungs of several searches, each search's one after another, by search; as `shown` is."""
    found: list[list[dict]] = []
    for rung in rungs:
        if not found or rung["rung"] <= found[-1][-1]["rung"]:
            found.append([])
        found[-1].append(shown(rung))
    return found


def paths(rungs: Iterable[Mapping]) -> dict[str, list[tuple[int, float]]]:
    """Candidate -> (epochs, validation accuracy) at each rung that it finished."""
    found: dict[str, list[tuple[int, float]]] = {}
    for rung in rungs:
        for candidate in rung["candidates"]:
            if candidate["accuracy"] is not None:
                point = (rung["epochs"], candidate["accuracy"])
                found.setdefault(candidate["candidate"], []).append(point)
    return found


def value(held: object) -> str:
    """A setting's value: 1024-512 for a list, 3/1/64 for a mapping's values, yes and no, none,
    numbers without trailing noise."""
    if isinstance(held, Mapping):
        return "/".join(map(value, held.values()))
    if isinstance(held, list):
        return "-".join(map(value, held))
    if held is None or isinstance(held, bool):
        return {None: "none", True: "yes", False: "no"}[held]
    return f"{held:.3g}" if isinstance(held, float) else str(held)


def label(settings: Mapping) -> str:
    """Settings as one line: `hidden 1024-512, lr 0.002, decay 0.05`; without what is not read."""
    unread = MIXER if settings.get("architecture") == "mlp" else ()
    read = {key: held for key, held in settings.items() if key not in unread}
    return ", ".join(
        f"{SHORT.get(key, key.replace('_', ' '))} {value(held)}" for key, held in read.items()
    )
