"""A search by successive halving, read from its rungs: who ran how far, and what it cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
    folds: int

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


def rung_of(record: Mapping) -> Rung:
    """The rung of a ranking.json."""
    fields = (record[k] for k in ("rung", "epochs", "survivors", "seconds", "candidates"))
    return Rung(*fields, folds=len(record.get("folds", [0])))


def apart(rungs: Iterable[Rung]) -> list[list[Rung]]:
    """Rungs of several searches, each search's one after another, by search."""
    found: list[list[Rung]] = []
    for rung in rungs:
        if not found or rung.number <= found[-1][-1].number:
            found.append([])
        found[-1].append(rung)
    return found


def paths(rungs: Iterable[Rung]) -> dict[str, list[tuple[int, float]]]:
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
    read = {key: held for key, held in settings.items() if key not in unread}
    return ", ".join(
        f"{SHORT.get(k, k.replace('_', ' '))} {value(held)}" for k, held in read.items()
    )


def tables(rungs: Sequence[Rung]) -> dict:
    """A search for the report: a row per rung, and the candidates of the last one."""

    def accuracy(candidate: Mapping) -> str:
        found = candidate["accuracy"]
        return "diverged" if found is None else f"{found:.4f}"

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
                "best": accuracy(rung.candidates[0]),
                "leader": rung.winner,
                "survivors": rung.survivors,
            }
            for rung in rungs
        ],
        "finalists": [
            {
                "candidate": candidate["candidate"],
                "settings": label(candidate["settings"]),
                "accuracy": accuracy(candidate),
                "selected": candidate["candidate"] == rungs[-1].winner,
            }
            for candidate in rungs[-1].candidates
        ],
    }
