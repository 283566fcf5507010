"""Choose the candidate with the highest mean validation accuracy over the folds.

Equal means go to the smaller deviation, then to the smaller learning rate, the larger batch, the
smaller dropout. The test set has no part in it.
"""

import json
from collections import defaultdict

import numpy as np
from mlp_recipe import Candidate
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")


def summarise(scores: list[dict]) -> list[dict]:
    """One entry a candidate: its settings, accuracies by fold, mean and sample deviation.

    Raises InputError unless every candidate has been scored once on each of the same folds.
    """
    names = tuple(Candidate.model_fields)
    by_candidate = defaultdict(dict)
    for score in scores:
        folds = by_candidate[tuple(score[name] for name in names)]
        if score["fold"] in folds:
            raise InputError(f"fold {score['fold']} of {dict(score)} stands there twice")
        folds[score["fold"]] = score["accuracy"]
    expected = set.union(*(set(folds) for folds in by_candidate.values()))
    candidates = []
    for key, folds in sorted(by_candidate.items()):
        candidate = dict(zip(names, key, strict=True))
        if set(folds) != expected:
            raise InputError(
                f"{candidate}: expected folds {sorted(expected)}, found {sorted(folds)}"
            )
        accuracies = [folds[fold] for fold in sorted(folds)]
        candidates.append(
            {
                **candidate,
                "fold_accuracy": accuracies,
                "mean": float(np.mean(accuracies)),
                "std": float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else 0.0,
            }
        )
    return candidates


def choose(candidates: list[dict]) -> dict:
    """The settings of the best candidate."""
    best = min(
        candidates, key=lambda c: (-c["mean"], c["std"], c["lr"], -c["batch_size"], c["dropout"])
    )
    return {name: best[name] for name in Candidate.model_fields}


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"scores*": "JSON of every candidate and fold"},
        outputs={"out": "selection.json"},
    )
    scores = [json.loads(path.read_text(encoding="utf-8")) for path in args.scores]
    candidates = summarise(scores)
    selected = choose(candidates)
    write_json(
        args.out,
        {
            "dataset": args.spec.dataset,
            "candidates": candidates,
            "selected": selected,
            "seconds": sum(score["seconds"] for score in scores),
        },
    )
    best = max(candidates, key=lambda c: c["mean"])
    print(f"{len(candidates)} candidates; selected {selected}: {best['mean']:.4f}")


if __name__ == "__main__":
    settings.run(main)
