"""The room's last row: the mean of the probabilities of several models' members.

Which members is fixed in the configuration before the test part is read: `searched/folds` are the
members of `searched` that were trained on all folds but one, `searched/seeds` those that were
trained on all images. Each of these groups counts the same, whatever the number of its members.

Its validation value is that of another, smaller ensemble: for an image of a fold, each group is the
one net of its model that was trained without that fold.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlp.rows import NOTES, print_rows, row_maker, scored
from mlp.settings import EnsembleSpec
from mlp.views import Views
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.predictions import write_predictions
from pipeline.provenance import provenance
from raw.image_data import load_meta

Arrays = Mapping[str, np.ndarray]  # those of a model's probabilities.npz


class Group(NamedTuple):
    """Some members of one model: its seeds, or its folds."""

    model: str
    arrays: Arrays
    chosen: np.ndarray  # bool (M,): which of the model's members
    members: str  # 5 folds, 1 seed


def read(paths: Sequence[Path]) -> dict[str, Arrays]:
    """model -> the arrays of its probabilities.npz. Raises InputError if the images differ."""
    found: dict[str, Arrays] = {}
    for path in paths:
        arrays = read_npz(path)
        found[str(arrays["model"])] = arrays
        if not np.array_equal(arrays["label"], next(iter(found.values()))["label"]):
            raise InputError(f"{path}: expected the labels of {paths[0]}: evaluate again")
    return found


def group(models: Mapping[str, Arrays], name: str) -> Group:
    """The members that `searched/folds` or `searched/seeds` names.

    Raises InputError if there is no such model, or no such member.
    """
    model, _, part = name.removesuffix("s").partition("/")
    if model not in models:
        raise InputError(f"members: expected models among {sorted(models)}, found {name}")
    members = models[model]["members"]
    chosen = np.char.startswith(members, part)
    if not chosen.any():
        raise InputError(f"members: {name}: {model} has only {members.tolist()}")
    count = int(chosen.sum())
    return Group(model, models[model], chosen, f"{count} {part}{'s' if count > 1 else ''}")


def unseen(models: Sequence[Arrays]) -> dict[int, np.ndarray]:
    """fold -> indices of its training images, for folds that a net of every model has not seen.

    Raises InputError if such a fold has other images or labels in another model.
    """
    if not all("out_of_fold_p" in arrays for arrays in models):
        return {}
    folds, labels = ([a[f"out_of_fold_{key}"] for a in models] for key in ("fold", "label"))
    shared = set.intersection(*(set(fold[fold >= 0].tolist()) for fold in folds))
    found = {number: np.flatnonzero(folds[0] == number) for number in sorted(shared)}
    for number, images in found.items():
        for fold, label in zip(folds, labels, strict=True):
            same = np.array_equal(np.flatnonzero(fold == number), images)
            if not same or not np.array_equal(label[images], labels[0][images]):
                wanted = f"the same images in fold {number} of every model"
                raise InputError(f"--probabilities: expected {wanted}: evaluate them again")
    return found


def cost(members: Sequence[tuple[Arrays, np.ndarray]], of_model: Callable[..., float]) -> dict:
    """Columns of a row: of the chosen members (M,) of each model `of_model`, summed over models."""
    parameters, seconds, flops = (
        sum(of_model(arrays[name][chosen]) for arrays, chosen in members)
        for name in ("parameters", "seconds", "flops")
    )
    costs = {"train_seconds": float(seconds), "train_flops": float(flops)}
    return {"parameters": int(parameters), **costs}


def mean_answer(groups: Sequence[Group], names: Sequence[str]) -> np.ndarray:
    """(N, K): the mean over the groups of the mean of each group's members."""
    means = [g.arrays[name][g.chosen].mean(axis=0) for g, name in zip(groups, names, strict=True)]
    return np.mean(means, axis=0)


def out_of_fold_hits(groups: Sequence[Group], names: Sequence[str]) -> np.ndarray:
    """bool (N,): whether the mean of the groups' answers is right about each training image."""
    answers = [g.arrays[f"out_of_fold_{name}"] for g, name in zip(groups, names, strict=True)]
    return np.mean(answers, axis=0).argmax(axis=1) == groups[0].arrays["out_of_fold_label"]


INPUTS = {"meta": "meta.json of the data set", "probabilities*": "probabilities.npz of the models"}
OUTPUTS = {"metrics": "metrics.json", "predictions": "predictions.csv of the test part"}


def main() -> None:
    args = settings.arguments(__doc__, EnsembleSpec, INPUTS, OUTPUTS)
    spec, meta = args.spec, load_meta(args.meta)
    models = read(args.probabilities)
    groups = [group(models, name) for name in spec.members]
    chosen = {group.model: group.arrays for group in groups}
    *others, last = chosen
    make = partial(
        row_maker(spec.dataset, provenance(spec.threads), meta["data_sha256"]),
        model=f"Ensemble of {', '.join(others)} and {last}" if others else f"Ensemble of {last}",
        inputs="as its members",
    )
    folds = unseen(list(chosen.values()))
    if folds:
        each = " + ".join(["1 fold"] * len(chosen))
        lacking = [(a, np.char.startswith(a["members"], "fold")) for a in chosen.values()]
        one_each = partial(make, members=each, **cost(lacking, np.mean))
    members = " + ".join(group.members for group in groups)
    all_costs = cost([(group.arrays, group.chosen) for group in groups], np.sum)
    together = partial(make, members=members, **all_costs)
    y = groups[0].arrays["label"]
    known = set().union(*(group.arrays for group in groups))
    views = Views("flips" in known, int("shifts" in known)).names
    rows = []
    for number, view in enumerate(views.values(), start=1):
        # A net on features, say, has no shifts: it answers with the last view that it has.
        names = [[name for name in list(views)[:number] if name in g.arrays][-1] for g in groups]
        if folds:
            hits = out_of_fold_hits(groups, names)
            values = [float(hits[images].mean()) for images in folds.values()]
            rows.append(one_each(split="cv", views=view, values=values, ci=None))
        p = mean_answer(groups, names)
        rows.append(together(split="test", views=view, **scored(p[None], y)))
    print_rows(rows)
    notes = NOTES | {
        "members": spec.members,
        "models": {model: str(arrays["name"]) for model, arrays in models.items()},
        "predictions": f"of the ensemble, views: {view}",
        "read": dict(zip(spec.members, names, strict=True)),
    }
    if folds:
        notes["cv"] = (
            "of another, smaller ensemble: for an image of a fold, each group is the one net of its"
            " model that was trained without that fold. n_seeds counts the folds that every model"
            f" has such a net for (here {', '.join(map(str, folds))}); parameters, train_seconds"
            " and train_flops are of one net per model. A fold that chose a recipe flatters it"
        )
    write_json(args.metrics, {"rows": rows, "notes": notes})
    write_predictions(args.predictions, y, p.argmax(axis=1), p)


if __name__ == "__main__":
    settings.run(main)
