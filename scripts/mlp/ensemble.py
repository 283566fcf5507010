"""The room's last row: the mean of the probabilities of several models' members.

Which members is fixed in the configuration before the test part is read: `searched/folds` are the
members of `searched` that were trained on all folds but one, `searched/seeds` those that were
trained on all images. Each of these groups counts the same, whatever the number of its members.

Its validation value is that of another, smaller ensemble: on an image of a fold, of each group's
model the one net that was trained without that fold.
"""

from pathlib import Path

import numpy as np
from pydantic import Field

from mlp.rows import NOTES, row_maker, scored, write_predictions
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.npz import read_npz
from pipeline.provenance import provenance
from raw.image_data import load_meta


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    members: list[str] = Field(["plain/seeds"], min_length=1, description="model/seeds or /folds")
    threads: int = Field(1, ge=1, description="BLAS threads of the trainings, for the record")


def read(paths: list[Path]) -> dict[str, dict[str, np.ndarray]]:
    """model -> the arrays of its probabilities.npz.

    Raises InputError if two are of one model, or if they are not of the same images.
    """
    found = {}
    for path in paths:
        arrays = read_npz(path)
        if (model := str(arrays["model"])) in found:
            raise InputError(f"{path}: expected one file a model, found {model} twice")
        found[model] = arrays
        if not np.array_equal(arrays["label"], next(iter(found.values()))["label"]):
            raise InputError(f"{path}: expected the labels of {paths[0]}: evaluate again")
    return found


def group(models: dict[str, dict[str, np.ndarray]], name: str) -> tuple[dict, np.ndarray]:
    """(the model's arrays, which of its members) of `searched/folds` or `searched/seeds`.

    Raises InputError if there is no such model, or no such member.
    """
    model, _, part = name.partition("/")
    if model not in models:
        raise InputError(f"members: expected models among {sorted(models)}, found {name}")
    arrays = models[model]
    chosen = np.char.startswith(arrays["members"], part.rstrip("s"))
    if part not in ("seeds", "folds") or not chosen.any():
        raise InputError(f"members: {name}: {model} has only {arrays['members'].tolist()}")
    return arrays, chosen


def unseen(groups: list[tuple[dict, np.ndarray]]) -> dict[int, np.ndarray]:
    """fold -> indices of its training images, for the folds that a net of every group's model has
    not seen.

    Raises InputError if such a fold has other images or labels in another model.
    """
    models = [arrays for arrays, _ in groups]
    if any("out_of_fold" in arrays for arrays in models):
        raise InputError("--probabilities: found those of an older version: evaluate again")
    if not all("out_of_fold_p" in arrays for arrays in models):
        return {}
    folds, labels = ([a[f"out_of_fold_{key}"] for a in models] for key in ("fold", "label"))
    shared = set.intersection(*(set(fold[fold >= 0].tolist()) for fold in folds))
    found = {number: np.flatnonzero(folds[0] == number) for number in sorted(shared)}
    for number, images in found.items():
        for fold, label in zip(folds, labels, strict=True):
            same = np.array_equal(np.flatnonzero(fold == number), images)
            if not same or not np.array_equal(label[images], labels[0][images]):
                raise InputError(
                    f"--probabilities: expected the same images in fold {number} of every model:"
                    " evaluate them again"
                )
    return found


def readings(groups: list[tuple[dict, np.ndarray]]) -> dict[str, str]:
    """Ways to read an image (mlp.views) that a group has -> what they add to a name."""
    found = {"p": ""}
    if any("flips" in arrays for arrays, _ in groups):
        found["flips"] = " + flips"
    if any("shifts" in arrays for arrays, _ in groups):
        found["shifts"] = " + flips and shifts" if "flips" in found else " + shifts"
    return found


def richest(arrays: dict[str, np.ndarray], allowed: list[str]) -> str:
    """The last of the readings that the model has: one on features, say, has no shifts."""
    return [reading for reading in allowed if reading in arrays][-1]


def words(name: str, found: tuple[dict, np.ndarray]) -> str:
    """searched (5 folds), mixer (1 seed)"""
    model, _, part = name.partition("/")
    count = int(found[1].sum())
    return f"{model} ({count} {part if count > 1 else part.rstrip('s')})"


def _fold_seconds(arrays: dict[str, np.ndarray]) -> float:
    """Mean of the trainings without a fold."""
    return arrays["seconds"][np.char.startswith(arrays["members"], "fold")].mean()


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "meta": "meta.json of the data set",
            "probabilities*": "probabilities.npz of every model that is named",
        },
        outputs={"metrics": "metrics.json", "predictions": "predictions.csv of the test part"},
    )
    spec, meta = args.spec, load_meta(args.meta)
    models = read(args.probabilities)
    groups = [group(models, name) for name in spec.members]
    y = groups[0][0]["label"]
    title = f"ensemble of {', '.join(map(words, spec.members, groups))}"
    cost = (
        int(sum(arrays["parameters"][chosen].sum() for arrays, chosen in groups)),
        float(sum(arrays["seconds"][chosen].sum() for arrays, chosen in groups)),
    )
    folds = unseen(groups)
    once = {str(arrays["model"]): arrays for arrays, _ in groups}.values()
    one_each = (
        int(sum(arrays["parameters"][0] for arrays in once)),
        float(sum(_fold_seconds(arrays) for arrays in once)) if folds else None,
    )
    make = row_maker(spec.dataset, provenance(spec.threads), meta["data_sha256"])
    rows, suffixes = [], readings(groups)
    for number, suffix in enumerate(suffixes.values(), start=1):
        ways = [richest(arrays, list(suffixes)[:number]) for arrays, _ in groups]
        if folds:
            answers = [g[f"out_of_fold_{way}"] for way, (g, _) in zip(ways, groups, strict=True)]
            mean = np.mean(answers, axis=0)
            hits = mean.argmax(axis=1) == groups[0][0]["out_of_fold_label"]
            values = [float(hits[images].mean()) for images in folds.values()]
            rows.append(make(title + suffix, "cv", values, *one_each))
            print(f"{title}{suffix}: out of fold {np.mean(values):.4f}")
        means = [g[way][chosen].mean(axis=0) for way, (g, chosen) in zip(ways, groups, strict=True)]
        mean = np.mean(means, axis=0)
        values, interval = scored(mean[None], y)
        rows.append(make(title + suffix, "test", values, *cost, interval))
        print(f"{title}{suffix}: test {values[0]:.4f}")
    note = {
        "members": spec.members,
        "models": {model: str(arrays["name"]) for model, arrays in models.items()},
        "predictions": f"of the ensemble{suffix}",
        "read": dict(zip(spec.members, ways, strict=True)),
    }
    if folds:
        note["cv"] = (
            "of another, smaller ensemble: on an image of a fold, of each group's model the net"
            " that was trained without that fold. n_seeds counts the folds that every model has"
            f" such a net for (here {', '.join(map(str, folds))}); parameters and train_seconds are"
            " of one net of each. A fold that chose a recipe flatters it"
        )
    write_json(args.metrics, {"rows": rows, "notes": NOTES | note})
    write_predictions(args.predictions, mean, y)


if __name__ == "__main__":
    settings.run(main)
