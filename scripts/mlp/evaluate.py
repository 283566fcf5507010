"""Score the members of one model: on the training part, out of fold, and, once, on the test part.

A model has one member per seed, trained on all training images, and perhaps members that were
trained on all folds but one; the mean of the latter's probabilities is the ensemble of folds. Only
this program and mlp.ensemble read the test part, after everything was chosen.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from mlp.inputs import load_inputs
from mlp.members import (
    Members,
    OutOfFold,
    fold_ensemble_accuracy,
    score_out_of_fold,
    seed_accuracies,
)
from mlp.rows import NOTES, row_maker, scored, write_examples
from mlp.settings import EvaluateSpec
from mlp.views import Views
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.history import cost
from pipeline.predictions import write_predictions
from raw.image_data import load_meta, load_part

Make = Callable[..., dict]
Answers = Mapping[str, np.ndarray]


def grid_cv(path: Path, parameters: int) -> tuple[dict, dict]:
    """(cv row of a model without fold members, notes) from the selection.json of the grid.

    The trainings are the grid's: on its folds, and shorter than the one that is tested.
    """
    selection = json.loads(path.read_text(encoding="utf-8"))
    chosen = selection["selected"].items()
    best = next(c for c in selection["candidates"] if chosen <= c.items())
    values = {
        "values": best["fold_accuracy"],
        "parameters": parameters,
        "train_seconds": float(np.mean(best["fold_seconds"])),
        "train_flops": float(np.mean(best["fold_flops"])),
    }
    notes = {"selected": selection["selected"], "cv_seconds": selection["seconds"]}
    return values, notes


def seed_rows(
    make: Make,
    members: Members,
    train: list[float],
    cv: Mapping[str, dict],
    answers: Answers,
    views: Views,
    y: np.ndarray,
) -> Iterator[dict]:
    """One trained model: on the training part, and for each of `views` out of fold and tested.

    train: accuracy of each seed; cv: values and costs by the answer's name; answers: (M, N, K) of
    all members by name, seeds first; y (N,).
    """
    costs = cost([member.history for member in members.seeds])
    yield make(split="train", values=train, ci=None, **costs)
    for name, view in views.names.items():
        if name in cv:
            yield make(split="cv", views=view, ci=None, **cv[name])
        p = answers[name][: len(members.seeds)]
        yield make(split="test", views=view, **scored(p, y), **costs)


def fold_rows(
    make: Make,
    members: Members,
    train: float | None,
    answers: Answers,
    views: Views,
    y: np.ndarray,
) -> Iterator[dict]:
    """The ensemble of the folds' models; `train`, its accuracy on the training part, is None where
    there is no ensemble."""
    if train is None:
        return
    costs = cost([member.history for member in members.folds], np.sum)
    make = partial(make, members=f"{len(members.folds)} folds", **costs)
    yield make(split="train", values=[train], ci=None)
    for name, view in views.names.items():
        p = answers[name][len(members.seeds) :].mean(axis=0, keepdims=True)
        yield make(split="test", views=view, **scored(p, y))


def write_probabilities(
    path: Path,
    model: str,
    members: Members,
    answers: Answers,
    unseen: OutOfFold,
    y_train: np.ndarray,
    y: np.ndarray,
) -> None:
    """probabilities.npz: what mlp.ensemble averages, with what each member cost.

    answers: (M, N, K) by name, on the test part, labels y (N,); y_train: labels of `unseen`.
    """
    histories = [member.history for member in members.all]
    out_of_fold = {
        "out_of_fold_label": y_train,
        "out_of_fold_fold": unseen.fold,
        **{f"out_of_fold_{name}": answer for name, answer in unseen.answers.items()},
    }
    write_npz(
        path,
        model=np.array(model),
        name=np.array(histories[0]["model"]),
        ids=np.arange(len(y)),
        label=y,
        members=np.array([history["part"] for history in histories]),
        parameters=np.array([history["parameters"] for history in histories]),
        seconds=np.array([history["seconds"] for history in histories]),
        flops=np.array([history["train_flops"] for history in histories]),
        **answers,
        **(out_of_fold if members.folds else {}),
    )


def main() -> None:
    args = settings.arguments(
        __doc__,
        EvaluateSpec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "hog?": "folder of its features, for a recipe that reads them",
            "weights*": "weights of every member",
            "histories*": "history.json of the same members, in the same order",
            "selection?": "selection.json of the grid: the cv row of a model without fold members",
        },
        outputs={
            "metrics": "metrics.json",
            "predictions": "predictions.csv of the first seed's model on the test part",
            "examples": "examples.npz: test images with predictions",
            "probabilities": "probabilities.npz of every member on the test part, and out of fold",
        },
    )
    spec, meta = args.spec, load_meta(args.meta)
    classes = len(meta["classes"])
    members = Members.read(args.weights, args.histories)
    first, recipe = members.seeds[0].history, members.recipe
    views = Views.of(recipe, flips=spec.flips, shifts=spec.shifts)

    x, y_train = load_inputs(recipe.inputs, args.data, args.hog, "train", classes)
    folds = {"folds": spec.folds, "fold_seed": spec.fold_seed}
    unseen = score_out_of_fold(members, x, y_train, classes=classes, views=views, **folds)
    train = seed_accuracies(members, x, y_train)
    ensemble_train = fold_ensemble_accuracy(members, x, y_train)
    cv = {}
    if members.folds:
        fold_cost = cost([member.history for member in members.folds])
        cv = {name: {"values": values, **fold_cost} for name, values in unseen.accuracy.items()}
    notes = NOTES | {"recipe": first["recipe"]}
    if args.selection:
        by_grid, more = grid_cv(args.selection, first["parameters"])
        notes |= more
        if not cv:
            cv = {"p": by_grid}
            notes["cv"] += ". Of a model without fold members: the grid's folds and epochs"

    x, y = load_inputs(recipe.inputs, args.data, args.hog, "test", classes)
    nets = [views.answers(member.net(), x) for member in members.all]
    answers = {name: np.stack([net[name] for net in nets]) for name in views.names}  # (M, N, K)
    make = row_maker(spec.dataset, first["provenance"], meta["data_sha256"])
    make = partial(make, model=first["model"], inputs=first["inputs"])
    rows = [
        *seed_rows(make, members, train, cv, answers, views, y),
        *fold_rows(make, members, ensemble_train, answers, views, y),
    ]
    for row in rows:
        print(f"{row['members']} x {row['model']}, views {row['views']}:", end=" ")
        print(f"{row['split']} {row['value']:.4f}")
    write_json(args.metrics, {"rows": rows, "notes": notes})
    p = answers["p"][0]
    write_predictions(args.predictions, y, p.argmax(axis=1), p)
    shown = slice(min(spec.examples, len(y)))
    images, _ = load_part(args.data, "test", classes)
    title = f"{first['model']} on {meta.get('title', spec.dataset)}"
    write_examples(args.examples, images[shown], y[shown], p[shown], meta["classes"], title)
    write_probabilities(args.probabilities, spec.model, members, answers, unseen, y_train, y)


if __name__ == "__main__":
    settings.run(main)
