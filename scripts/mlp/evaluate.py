"""Score the members of one model: on the training part, out of fold, and, once, on the test part.

A model has a member a seed, trained on all training images, and perhaps members that were trained
on all folds but one; the mean of the latter's probabilities is the ensemble of folds. Only this
program and ensemble_mlp.py read the test part, after everything was chosen.
"""

import json

import numpy as np
from pydantic import Field

from mlp.inputs import load_inputs
from mlp.members import read_members, recipe_of, score_training_part
from mlp.rows import NOTES, row_maker, scored, write_examples, write_predictions
from mlp.views import Views
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from raw.image_data import load_meta, load_part


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    model: str = Field("plain", description="name of the model in the configuration")
    folds: int = Field(5, ge=2, description="number of folds")
    fold_seed: int = Field(0, ge=0, description="seed of the folds")
    mirrors: bool = Field(False, description="score mirror images if trained with them")
    shifts: bool = Field(False, description="score moved images too, of nets on pixels")
    examples: int = Field(30, ge=1, description="test images that the report shows")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "hog?": "folder of its features, for a recipe that reads them",
            "models*": "weights of every member",
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
    members = read_members(args.models, args.histories)
    recipe = recipe_of(members)
    views = Views.of(recipe, mirrors=spec.mirrors, shifts=spec.shifts)
    x, y_train = load_inputs(recipe.inputs, args.data, args.hog, "train", classes)
    train, ensemble_train, out = score_training_part(
        members,
        *(x, y_train),
        classes=classes,
        folds=spec.folds,
        fold_seed=spec.fold_seed,
        views=views,
    )
    x, y = load_inputs(recipe.inputs, args.data, args.hog, "test", classes)
    answers = [views.answers(member.net(), x) for member in members]
    # reading -> (members, N, classes)
    found = {key: np.stack([answer[key] for answer in answers]) for key in views.readings}

    first = members[0].history
    name, parameters, n = first["model"], first["parameters"], len(train)
    seconds = [member.history["seconds"] for member in members]
    make = row_maker(spec.dataset, first["provenance"], meta["data_sha256"])
    cv, cv_seconds, notes = out.accuracy["p"], seconds[n:], dict(NOTES)
    if args.selection:
        selection = json.loads(args.selection.read_text(encoding="utf-8"))
        chosen = selection["selected"].items()
        best = next(c for c in selection["candidates"] if chosen <= c.items())
        notes |= {"selected": selection["selected"], "cv_seconds": selection["seconds"]}
        if not cv:
            # Shorter trainings than the one that is tested: the grid's.
            cv, cv_seconds = best["fold_accuracy"], best["fold_seconds"]
            notes["cv"] += ". Of a model without fold members: the grid's folds and epochs"
    single = (parameters, float(np.mean(seconds[:n])))
    rows = [make(name, "train", train, *single)]
    print(f"{name}: train {np.mean(train):.4f}  ({n} seeds)")
    for reading, suffix in views.readings.items():
        told = out.accuracy[reading] if suffix else cv
        if told:
            rows.append(make(name + suffix, "cv", told, parameters, float(np.mean(cv_seconds))))
        values, interval = scored(found[reading][:n], y)
        rows.append(make(name + suffix, "test", values, *single, interval))
        print(f"{name}{suffix}: test {np.mean(values):.4f}")
    if ensemble_train is not None:
        together = f"ensemble of {len(members) - n} folds, {name}"
        cost = (parameters * (len(members) - n), float(np.sum(seconds[n:])))
        rows.append(make(together, "train", [ensemble_train], *cost))
        for reading, suffix in views.readings.items():
            values, interval = scored(found[reading][n:].mean(axis=0, keepdims=True), y)
            rows.append(make(together + suffix, "test", values, *cost, interval))
    write_json(args.metrics, {"rows": rows, "notes": notes | {"recipe": first["recipe"]}})
    p = found["p"][0]
    write_predictions(args.predictions, p, y)
    shown = slice(min(spec.examples, len(y)))
    images, _ = load_part(args.data, "test", classes)
    title = f"{name} on {meta.get('title', spec.dataset)}"
    write_examples(args.examples, images[shown], y[shown], p[shown], meta["classes"], title)
    unseen = {f"out_of_fold_{reading}": answer for reading, answer in out.answers.items()}
    unseen |= {"out_of_fold_label": y_train, "out_of_fold_fold": out.fold}
    write_npz(
        args.probabilities,
        model=np.array(spec.model),
        name=np.array(name),
        ids=np.arange(len(y)),
        label=y,
        members=np.array([member.history["part"] for member in members]),
        parameters=np.array([parameters] * len(members)),
        seconds=np.array(seconds),
        **found,
        **(unseen if out.accuracy["p"] else {}),
    )


if __name__ == "__main__":
    settings.run(main)
