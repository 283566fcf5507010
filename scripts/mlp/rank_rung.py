"""Rank the candidates of one rung of the halving search by their validation accuracy.

For a rung that is scored on several folds it is the mean over them. The first `survivors` train in
the next rung, except those that diverged.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from mlp.halving import causes, check_rung, entrant, rank
from mlp.kept import key
from mlp.settings import RankSpec
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.hashing import canonical_sha256

RANKED = (
    "candidate", "settings", "parameters", "accuracy", "fold_accuracy", "diverged", "message",
    "seconds",
)  # fmt: skip


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
        RankSpec,
        inputs={
            "scores*": "JSON of every candidate of the rung: all folds of a place, then the next",
            "ranking": "ranking.json of the rung before; candidates.json for rung 0",
            "meta?": "meta.json of the data set, which the scores' keys hold",
            "hog?": "folder of its features, if the trainings had it",
        },
        outputs={"out": "ranking.json"},
    )
    spec = args.spec
    found = [json.loads(path.read_text(encoding="utf-8")) for path in args.scores]
    count, left = divmod(len(found), len(spec.folds))
    if spec.trainings and len(spec.trainings) != len(spec.folds):
        raise InputError(
            f"trainings: expected one for each of {len(spec.folds)} folds, found"
            f" {len(spec.trainings)}"
        )
    if left:
        raise InputError(
            f"--scores: expected {len(spec.folds)} for each place, one per fold, found"
            f" {len(found)}: train the rung again"
        )
    entrants = [entrant(args.ranking, spec.dataset, spec.rung, k) for k in range(count)]
    files = [args.meta] if args.meta else []
    files += [args.hog / "meta.json"] if args.hog else []
    for number in range(len(spec.folds)):
        keys = None
        if spec.trainings:
            training = spec.trainings[number]
            keys = [
                key(canonical_sha256({**training, "place": place}), causes(entered), *files)
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
                {name: score[name] for name in RANKED}
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
