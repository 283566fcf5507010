"""Score the members of one model: on the training part, out of fold, and, once, on the test part.

A model has one member per seed, trained on all training images, and perhaps members that were
trained on all folds but one; the mean of the latter's probabilities is the ensemble of folds. Only
this program and mlp.ensemble read the test part, after everything was chosen.
"""

from functools import partial
from pathlib import Path

import numpy as np

from mlp.folds import split
from mlp.inputs import DATA, Inputs, load_inputs
from mlp.rows import NOTES, print_rows, row_maker, scored
from mlp.settings import EvaluateSpec, FullRecipe
from mlp.views import Views, probabilities
from numpy_nn.module import Module
from numpy_nn.prediction import evaluate
from numpy_nn.stored_model import model_from_state
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.npz import read_npz
from pipeline.predictions import write_predictions
from pipeline.read_json import read_json
from raw.image_data import load_meta, load_part

Member = tuple[Path, dict]  # one trained net: its weights' file and its history


def load_net(weights: Path, history: dict) -> Module:
    """The net, ready to predict. Raises InputError if the history is of other weights."""
    found, expected = file_sha256(weights), history.get("weights_sha256")
    if found != expected:
        wrong = f"{weights}: expected the sha256 {expected} of its history, found {found}"
        raise InputError(f"{wrong}: the file is damaged or of another training. Train again.")
    return model_from_state(read_npz(weights))


def read_members(weights: list[Path], paths: list[Path]) -> tuple[list[Member], list[Member]]:
    """The seeds, in the order given, and the members that have not seen a fold, by its number.

    Raises InputError if no member saw the whole training part, if a part is there twice, or if the
    members are of several recipes.
    """
    histories = read_histories(weights, paths, "fold", "part")
    seeds = [m for m in zip(weights, histories, strict=True) if m[1]["fold"] is None]
    folds = [m for m in zip(weights, histories, strict=True) if m[1]["fold"] is not None]
    parts = [history["part"] for history in histories]
    if len(set(parts)) < len(parts) or not seeds:
        raise InputError(f"--weights: expected at least one seed and each part once, found {parts}")
    if any(history["recipe"] != histories[0]["recipe"] for history in histories):
        raise InputError("--weights: expected members of one recipe, found several: train again")
    return seeds, sorted(folds, key=lambda member: member[1]["fold"])


def score_out_of_fold(
    folds: list[Member], x: Inputs, y: np.ndarray, classes: int, spec: EvaluateSpec, views: Views
) -> tuple[dict[str, list[float]], dict[str, np.ndarray]]:
    """What each member answers about the fold of the training part x, y (N,) it has not seen.

    Returns accuracies by the name of the answer (mlp.views), one per fold, and arrays by name:
    `fold` (N,) int8, the fold that an image is in, -1 if every member has seen it, and the answers,
    (N, K) float32, 0 where `fold` is -1.
    Raises InputError if a member's history has another accuracy.
    """
    accuracy: dict[str, list[float]] = {name: [] for name in views.names}
    answers = {name: np.zeros((len(y), classes), np.float32) for name in views.names}
    fold_of = np.full(len(y), -1, np.int8)
    for weights, history in folds:
        _, held_out = split(y, history["fold"], spec.folds, spec.fold_seed)
        fold_of[held_out] = history["fold"]
        for name, p in views.answers(load_net(weights, history), x.subset(held_out)).items():
            answers[name][held_out] = p
            accuracy[name].append(evaluate(p, y[held_out])[1])
        found, expected = accuracy["p"][-1], history["out_of_fold"]["accuracy"]
        if abs(found - expected) > 1e-3:
            wanted = f"{expected:.4f} of its history on the fold it has not seen"
            wrong = f"{weights}: expected the accuracy {wanted}, found {found:.4f}"
            raise InputError(f"{wrong}: other folds or images. Take the training's or train again.")
    return accuracy, {"fold": fold_of, **answers}


def grid_cv(selection: dict, parameters: int) -> dict:
    """The cv row of a model without fold members, from the selection.json of the grid.

    The trainings are the grid's: on its folds, and shorter than the one that is tested.
    """
    best = next(c for c in selection["candidates"] if selection["selected"].items() <= c.items())
    return {
        "values": best["fold_accuracy"],
        "parameters": parameters,
        "train_seconds": float(np.mean(best["fold_seconds"])),
        "train_flops": float(np.mean(best["fold_flops"])),
    }


INPUTS = {
    **DATA,
    **TRAININGS,
    "selection?": "selection.json of the grid: the cv row of a model without fold members",
}
OUTPUTS = {
    "metrics": "metrics.json",
    "predictions": "predictions.csv of the first seed's model on the test part",
    "examples": "examples.npz: test images with predictions",
    "probabilities": "probabilities.npz of every member on the test part, and out of fold",
}


def main() -> None:
    args = settings.arguments(__doc__, EvaluateSpec, INPUTS, OUTPUTS)
    spec, meta = args.spec, load_meta(args.meta)
    classes = len(meta["classes"])
    seeds, folds = read_members(args.weights, args.histories)
    histories, fold_histories = [h for _, h in seeds + folds], [h for _, h in folds]
    first = histories[0]
    recipe = FullRecipe.model_validate(first["recipe"])
    views = Views.of(recipe, flips=spec.flips, shifts=spec.shifts)

    x, y = load_inputs(recipe.inputs, args.data, args.hog, "train", classes)
    train = [evaluate(probabilities(load_net(*seed), x), y)[1] for seed in seeds]
    by_fold, unseen = score_out_of_fold(folds, x, y, classes, spec, views)
    if len(folds) > 1:
        total = sum(probabilities(load_net(*fold), x) for fold in folds)  # (N, K)
        ensemble_train = evaluate(total, y)[1]

    cv, notes = {}, NOTES | {"recipe": first["recipe"]}
    if folds:
        cv = {name: {"values": found, **cost(fold_histories)} for name, found in by_fold.items()}
    if args.selection:
        selection = read_json(args.selection, ["selected", "seconds"])
        notes |= {"selected": selection["selected"], "cv_seconds": selection["seconds"]}
        if not folds:
            cv = {"p": grid_cv(selection, first["parameters"])}
            notes["cv"] += ". Of a model without fold members: the grid's folds and epochs"

    x, y_test = load_inputs(recipe.inputs, args.data, args.hog, "test", classes)
    nets = [views.answers(load_net(*member), x) for member in seeds + folds]
    answers = {name: np.stack([net[name] for net in nets]) for name in views.names}  # (M, N, K)

    make = row_maker(spec.dataset, first["provenance"], meta["data_sha256"])
    make = partial(make, model=first["model"], inputs=first["inputs"])
    one = partial(make, **cost([history for _, history in seeds]))
    rows = [one(split="train", values=train, ci=None)]
    for name, view in views.names.items():
        if name in cv:
            rows.append(make(split="cv", views=view, ci=None, **cv[name]))
        rows.append(one(split="test", views=view, **scored(answers[name][: len(seeds)], y_test)))
    if len(folds) > 1:
        together = partial(make, members=f"{len(folds)} folds", **cost(fold_histories, np.sum))
        rows.append(together(split="train", values=[ensemble_train], ci=None))
        for name, view in views.names.items():
            mean = answers[name][len(seeds) :].mean(axis=0, keepdims=True)
            rows.append(together(split="test", views=view, **scored(mean, y_test)))
    print_rows(rows)
    write_json(args.metrics, {"rows": rows, "notes": notes})

    p = answers["p"][0]
    write_predictions(args.predictions, y_test, p.argmax(axis=1), p)
    images = load_part(args.data, "test", classes)[0][: spec.examples]  # (n, C, H, W)
    write_npz(
        args.examples,
        images=images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1),
        label=y_test[: spec.examples],
        prediction=p[: spec.examples].argmax(axis=1),
        classes=np.array(meta["classes"]),
        title=np.array(f"{first['model']} on {meta.get('title', spec.dataset)}"),
    )
    # What mlp.ensemble averages, with what each member cost.
    columns = {"members": "part", "parameters": "parameters"}
    columns |= {"seconds": "seconds", "flops": "train_flops"}
    out_of_fold = {"label": y, **unseen} if folds else {}
    write_npz(
        args.probabilities,
        model=np.array(spec.model),
        name=np.array(first["model"]),
        ids=np.arange(len(y_test)),
        label=y_test,
        **{name: np.array([h[key] for h in histories]) for name, key in columns.items()},
        **answers,
        **{f"out_of_fold_{name}": array for name, array in out_of_fold.items()},
    )


if __name__ == "__main__":
    settings.run(main)
