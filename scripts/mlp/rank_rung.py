"""Rank the candidates of one rung of the halving search by their validation accuracy.

For a rung that is scored on several folds it is the mean over them. The first `survivors` train in
the next rung, except those that diverged.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from mlp.halving import entrant, result_key
from mlp.inputs import data_files
from mlp.settings import RankSpec, RungSpec
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.read_json import read_json

RANKED = (
    "candidate", "settings", "parameters", "accuracy", "fold_accuracy", "diverged", "message",
    "seconds",
)  # fmt: skip
# What train_rung writes of a candidate and fold.
SCORE = (*(name for name in RANKED if name != "fold_accuracy"), "key", "loss", "place")


def over_folds(scores: Sequence[Mapping]) -> dict:
    """One candidate's scores on several folds as one: their means; diverged if one of them did."""
    lost = [score for score in scores if score["diverged"]]
    means = dict.fromkeys(("accuracy", "loss"))
    if not lost:
        means = {name: float(np.mean([score[name] for score in scores])) for name in means}
    return {
        **scores[0],
        **means,
        "fold_accuracy": [score["accuracy"] for score in scores],
        "diverged": bool(lost),
        "message": lost[0]["message"] if lost else None,
        "seconds": sum(score["seconds"] for score in scores),
    }


def rank(scores: Sequence[Mapping]) -> list[Mapping]:
    """Best first: by accuracy; equal ones by lower loss, fewer parameters, place before.

    scores: in the order of their places. Those that diverged are last; InputError if all did.
    """
    lost = [score for score in scores if score["diverged"]]
    trained = [score for score in scores if not score["diverged"]]
    if not trained:
        found = f"{len(lost)} that diverged ({lost[0]['message']})"
        raise InputError(f"expected a candidate that trains, found {found}: lower the search's lr")
    trained.sort(key=lambda score: (-score["accuracy"], score["loss"], score["parameters"]))
    return trained + lost


INPUTS = {
    "scores*": "JSON of every candidate of the rung: all folds of a place, then the next",
    "ranking": "ranking.json of the rung before; candidates.json for rung 0",
    "meta": "meta.json of the data set",
    "hog?": "folder of its features, if the trainings had it",
}
OUTPUTS = {"out": "ranking.json"}


def main() -> None:
    args = settings.arguments(__doc__, RankSpec, INPUTS, OUTPUTS)
    trainings, survivors = args.spec.trainings, args.spec.survivors
    places, left = divmod(len(args.scores), len(trainings))
    if left:
        wanted = f"{len(trainings)} for each place, one per fold"
        raise InputError(f"--scores: expected {wanted}, found {len(args.scores)}")
    found = [read_json(path, SCORE) for path in args.scores]
    scores = []
    for place in range(places):
        of_place, folds = found[place * len(trainings) :][: len(trainings)], []
        for training, score in zip(trainings, of_place, strict=True):
            spec, spec_key = settings.read_spec(json.dumps({**training, "place": place}), RungSpec)
            candidate = entrant(args.ranking, spec.dataset, spec.rung, place)
            key = result_key(spec_key, candidate, data_files(args))
            if score["key"] != key:
                where = f"--scores: place {place}, fold {spec.fold}"
                wrong = f"{where}: expected the key {key}, found {score['key']}"
                raise InputError(
                    f"{wrong}: of another candidate, settings, code or data: delete it"
                )
            folds.append(spec.fold)
        scores.append(over_folds(of_place))
    ranking = rank(scores)
    candidates = [
        {name: score[name] for name in RANKED}
        | {"survives": k < survivors and not score["diverged"], "came_from": score["place"]}
        for k, score in enumerate(ranking)
    ]
    result = {
        **spec.model_dump(include={"dataset", "rung", "epochs"}),
        "folds": folds,
        "survivors": survivors,
        "candidates": candidates,
        "seconds": sum(score["seconds"] for score in scores),
    }
    write_json(args.out, result)
    print(f"rung {spec.rung}: {places} candidates; best: {candidates[0]}")


if __name__ == "__main__":
    settings.run(main)
