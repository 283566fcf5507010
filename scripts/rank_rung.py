"""Rank the candidates of one rung of the halving search by their validation accuracy.

Who stands among the first `survivors` trains in the next rung, unless it diverged.
"""

import json

from pydantic import Field, JsonValue

from pipeline import settings
from pipeline.atomic import write_json
from rooms.mlp_halving import causes, check_rung, entrant, rank
from rooms.mlp_kept import key

TOLD = ("candidate", "settings", "parameters", "accuracy", "diverged", "message", "seconds")


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    rung: int = Field(0, ge=0, description="the rung, from 0")
    epochs: int = Field(1, ge=1, description="epochs of each training of the rung")
    survivors: int = Field(1, ge=1, description="how many the next rung trains; 1 after the last")
    training: dict[str, JsonValue] | None = Field(
        None,
        description="what train_rung.py was told, less the place: only scores that follow from it"
        " are ranked; null: the scores' keys are not looked at",
    )


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "scores*": "JSON of every candidate of the rung",
            "ranking": "ranking.json of the rung before; candidates.json for rung 0",
            "meta?": "meta.json of the data set, which the scores' keys hold",
            "hog?": "folder of its features, if the trainings had it",
        },
        outputs={"out": "ranking.json"},
    )
    spec: Spec = args.spec
    scores = [json.loads(path.read_text(encoding="utf-8")) for path in args.scores]
    entrants = [entrant(args.ranking, spec.dataset, spec.rung, k) for k in range(len(scores))]
    keys = None
    if spec.training is not None:
        files = [args.meta] if args.meta else []
        files += [args.hog / "meta.json"] if args.hog else []
        keys = [
            key(settings.spec_key({**spec.training, "place": place}), causes(entered), *files)
            for place, entered in enumerate(entrants)
        ]
    check_rung(scores, spec.dataset, spec.rung, spec.epochs, entrants, keys)
    ranking = rank(scores)
    write_json(
        args.out,
        {
            "dataset": spec.dataset,
            "rung": spec.rung,
            "epochs": spec.epochs,
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
