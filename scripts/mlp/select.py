"""Choose the candidate with the highest mean validation accuracy over the folds.

Equal means go to the smaller deviation, then to the smaller learning rate, the larger batch, the
smaller dropout. A candidate that diverged on any fold has no mean and is never selected. The test
set is not read.
"""

from collections import defaultdict
from operator import itemgetter

import numpy as np

from mlp.settings import DatasetSpec, GridPoint
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.read_json import read_json

# What cross_validate writes of a candidate and fold.
SCORE = (
    "dataset", *GridPoint.model_fields, "fold", "accuracy", "seconds", "train_flops", "diverged",
    "message",
)  # fmt: skip


def summarise(scores: list[dict]) -> list[dict]:
    """One entry per candidate: its settings, accuracies by fold, mean and sample deviation.

    An entry whose training diverged on a fold has mean and std None (that fold's accuracy, too),
    "diverged" True and "message", that of the first such fold.
    Raises InputError unless every candidate has been scored once on each of the same folds.
    """
    names = list(GridPoint.model_fields)
    by_candidate = defaultdict(list)
    for score in sorted(scores, key=itemgetter(*names, "fold")):
        by_candidate[tuple(score[name] for name in names)].append(score)
    expected = sorted({score["fold"] for score in scores})
    candidates = []
    for values, found in by_candidate.items():
        candidate = dict(zip(names, values, strict=True))
        folds = [score["fold"] for score in found]
        if folds != expected:
            raise InputError(f"{candidate}: expected folds {expected}, found {folds}")
        accuracies = [score["accuracy"] for score in found]
        messages = [score["message"] for score in found if score["diverged"]]
        spread = np.std(accuracies, ddof=1) if len(folds) > 1 and not messages else 0.0
        candidates.append(
            {
                **candidate,
                "fold_accuracy": accuracies,
                "fold_seconds": [score["seconds"] for score in found],
                "fold_flops": [score["train_flops"] for score in found],
                "mean": None if messages else float(np.mean(accuracies)),
                "std": None if messages else float(spread),
                "diverged": bool(messages),
                "message": messages[0] if messages else None,
            }
        )
    return candidates


def choose(candidates: list[dict]) -> dict:
    """The settings of the best candidate. Raises InputError if every one of them diverged."""
    trained = [c for c in candidates if not c["diverged"]]
    if not trained:
        found = f"{len(candidates)} that diverged ({candidates[0]['message']})"
        raise InputError(f"expected a candidate that trains, found {found}: lower the grid's lr")
    trained.sort(key=lambda c: (-c["mean"], c["std"], c["lr"], -c["batch_size"], c["dropout"]))
    return {name: trained[0][name] for name in GridPoint.model_fields}


INPUTS = {"scores*": "JSON of every candidate and fold"}
OUTPUTS = {"out": "selection.json"}


def main() -> None:
    args = settings.arguments(__doc__, DatasetSpec, INPUTS, OUTPUTS)
    scores = [read_json(path, SCORE) for path in args.scores]
    dataset = args.spec.dataset
    if strange := {score["dataset"] for score in scores} - {dataset}:
        raise InputError(f"--scores: expected those of {dataset}, found {sorted(strange)} too")
    candidates = summarise(scores)
    selection = {
        "dataset": dataset,
        "candidates": candidates,
        "selected": choose(candidates),
        "seconds": sum(score["seconds"] for score in scores),
    }
    write_json(args.out, selection)
    diverged = sum(c["diverged"] for c in candidates)
    print(f"{len(candidates)} candidates, {diverged} diverged; selected {selection['selected']}")


if __name__ == "__main__":
    settings.run(main)
