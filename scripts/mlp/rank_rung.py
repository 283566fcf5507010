"""Rank the candidates of one rung of the halving search by their validation accuracy.

Of a rung that is scored on several folds it is the mean over them. Who stands among the first
`survivors` trains in the next rung, unless it diverged.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field, JsonValue

from mlp.halving import causes, check_rung, entrant, rank
from mlp.kept import key
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError

TOLD = (
    "candidate", "settings", "parameters", "accuracy", "fold_accuracy", "diverged", "message",
    "seconds",
)  # fmt: skip


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    rung: int = Field(0, ge=0, description="the rung, from 0")
    epochs: int = Field(1, ge=1, description="epochs of each training of the rung")
    survivors: int = Field(1, ge=1, description="how many the next rung trains; 1 after the last")
    folds: list[int] = Field([0], min_length=1, description="the folds that score the rung")
    trainings: list[dict[str, JsonValue]] | None = Field(
        None,
        description="what train_rung.py was told for each fold, less the place: only scores that"
        " follow from it are ranked; null: the scores' keys are not looked at",
    )


def over_folds(scores: Sequence[Mapping]) -> dict:
    """One candidate's scores on several folds as one: their means; diverged if one of them did."""
    lost = [score for score in scores if score["diverged"]]

    def mean(name: str) -> float | None:
        return None if lost else float(np.mean([score[name] for score in scores]))

    return {
        **scores[0],
        "accuracy": mean("accuracy"),
        "fold_accuracy": [score["accuracy"] for score in scores],
        "loss": mean("loss"),
        "diverged": bool(lost),
        "message": lost[0]["message"] if lost else None,
        "seconds": sum(score["seconds"] for score in scores),
    }


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "scores*": "JSON of every candidate of the rung: all folds of a place, then the next",
            "ranking": "ranking.json of the rung before; candidates.json for rung 0",
            "meta?": "meta.json of the data set, which the scores' keys hold",
            "hog?": "folder of its features, if the trainings had it",
        },
        outputs={"out": "ranking.json"},
    )
    spec: Spec = args.spec
    found = [json.loads(path.read_text(encoding="utf-8")) for path in args.scores]
    count, left = divmod(len(found), len(spec.folds))
    if spec.trainings and len(spec.trainings) != len(spec.folds):
        raise InputError(
            f"trainings: expected one for each of {len(spec.folds)} folds, found"
            f" {len(spec.trainings)}"
        )
    if left:
        raise InputError(
            f"--scores: expected {len(spec.folds)} for each place, one a fold, found {len(found)}:"
            " train the rung again"
        )
    entrants = [entrant(args.ranking, spec.dataset, spec.rung, k) for k in range(count)]
    files = [args.meta] if args.meta else []
    files += [args.hog / "meta.json"] if args.hog else []
    for number in range(len(spec.folds)):
        keys = None
        if spec.trainings:
            training = spec.trainings[number]
            keys = [
                key(settings.spec_key({**training, "place": place}), causes(entered), *files)
                for place, entered in enumerate(entrants)
            ]
        here = found[number :: len(spec.folds)]
        check_rung(here, spec.dataset, spec.rung, spec.epochs, entrants, keys)
    by_place: dict[int, list[Mapping]] = {}
    for score in found:
        by_place.setdefault(score["place"], []).append(score)
    scores = [over_folds(several) for several in by_place.values()]
    ranking = rank(scores)
    write_json(
        args.out,
        {
            "dataset": spec.dataset,
            "rung": spec.rung,
            "epochs": spec.epochs,
            "folds": spec.folds,
            "survivors": spec.survivors,
            "candidates": [
                {name: score[name] for name in TOLD}
                | {
                    "survives": place < spec.survivors and not score["diverged"],
                    "came_from": score["place"],
                }
                for place, score in enumerate(ranking)
            ],
            "seconds": sum(score["seconds"] for score in scores),
        },
    )
    best, diverged = ranking[0], sum(score["diverged"] for score in scores)
    print(
        f"rung {spec.rung}: {len(scores)} candidates, {diverged} diverged;"
        f" {best['candidate']} {best['settings']}: {best['accuracy']:.4f}"
    )


if __name__ == "__main__":
    settings.run(main)
