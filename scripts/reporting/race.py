"""A search by successive halving, read from its rungs: who ran how far, and what it cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError

# Keys of a recipe that people read more easily in other words.
SHORT = {
    "lr": "lr", "batch_size": "batch", "weight_decay": "decay", "label_smoothing": "smoothing",
    "input_dropout": "input dropout", "ema_decay": "average", "clip_norm": "clip",
}  # fmt: skip

# What an mlp does not read of a recipe that could have been a mixer's.
MIXER = (
    "patch", "margin", "channels", "levels", "depth", "token_width", "channel_width",
    "mixer_dropout",
)  # fmt: skip


@dataclass(frozen=True)
class Rung:
    """A rung: its candidates, best first (rows of ranking.json), and how many go on.

    folds: how many score each candidate.
    """

    number: int
    epochs: int
    survivors: int
    seconds: float
    candidates: Sequence[Mapping]
    folds: int = 1

    @property
    def winner(self) -> str:
        return self.candidates[0]["candidate"]

    @property
    def cost(self) -> str:
        """Seconds of its trainings with as many digits as they deserve."""
        return f"{self.seconds:.{0 if self.seconds >= 10 else 1}f}"

    @property
    def diverged(self) -> int:
        return sum(c["accuracy"] is None for c in self.candidates)


def read_rung(record: Mapping, name: str) -> Rung:
    """Check a ranking. Raises InputError if it is not one, or if nobody in it has an accuracy."""
    try:
        fields = (record[k] for k in ("rung", "epochs", "survivors", "seconds", "candidates"))
        rung = Rung(*fields, folds=len(record.get("folds", [0])))
        known = [c["accuracy"] for c in rung.candidates]
        names = [(c["candidate"], c["settings"]) for c in rung.candidates]
    except (KeyError, TypeError) as error:
        raise InputError(f"{name}: expected the ranking of a rung, found: {error!r}") from None
    if not names or known[0] is None:
        raise InputError(f"{name}: expected a candidate with an accuracy, found none")
    return rung


def read_rungs(files: Sequence[Path]) -> list[Rung]:
    """The rungs of one search, first to last."""
    records = ((json.loads(path.read_text(encoding="utf-8")), path) for path in files)
    return sorted(
        (read_rung(record, str(path)) for record, path in records), key=lambda r: r.number
    )


def apart(rungs: Sequence[Rung]) -> list[list[Rung]]:
    """Rungs of several searches, each search's one after another, by search."""
    found: list[list[Rung]] = []
    for rung in rungs:
        if not found or rung.number <= found[-1][-1].number:
            found.append([])
        found[-1].append(rung)
    return found


def paths(rungs: Sequence[Rung]) -> dict[str, list[tuple[int, float]]]:
    """Candidate -> (epochs, validation accuracy) at each rung that it finished."""
    found: dict[str, list[tuple[int, float]]] = {}
    for rung in rungs:
        for candidate in rung.candidates:
            if candidate["accuracy"] is not None:
                point = (rung.epochs, candidate["accuracy"])
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
    settings = {key: held for key, held in settings.items() if key not in unread}
    return ", ".join(
        f"{SHORT.get(key, key.replace('_', ' '))} {value(held)}" for key, held in settings.items()
    )


def tables(rungs: Sequence[Rung]) -> dict:
    """A search for the report: a row per rung, and the candidates of the last one."""
    return {
        "seconds": sum(rung.seconds for rung in rungs),
        "rungs": [
            {
                "number": rung.number + 1,
                "candidates": len(rung.candidates),
                "epochs": rung.epochs,
                "folds": rung.folds,
                "seconds": rung.cost,
                "diverged": rung.diverged,
                "best": f"{rung.candidates[0]['accuracy']:.4f}",
                "leader": rung.winner,
                "survivors": rung.survivors,
            }
            for rung in rungs
        ],
        "finalists": [
            {
                "candidate": candidate["candidate"],
                "settings": label(candidate["settings"]),
                "accuracy": "diverged"
                if candidate["accuracy"] is None
                else f"{candidate['accuracy']:.4f}",
                "selected": candidate["candidate"] == rungs[-1].winner,
            }
            for candidate in rungs[-1].candidates
        ],
    }
