"""Score the members of one model: on the training part, out of fold, and, once, on the test part.

A model has a member a seed, trained on all training images, and perhaps members that were trained
on all folds but one; the mean of the latter's probabilities is the ensemble of folds. Only this
program and ensemble_mlp.py read the test part, after everything was chosen.
"""

import json

import numpy as np
from pydantic import Field

from datasets.image_data import load_meta, load_part
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from rooms.mlp_inputs import load_inputs
from rooms.mlp_members import read_members, recipe_of, score_training_part
from rooms.mlp_rows import NOTES, row_maker, scored, write_examples, write_predictions
from rooms.mlp_training import probabilities


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    model: str = Field("plain", description="name of the model in the configuration")
    folds: int = Field(5, ge=2, description="number of folds")
    fold_seed: int = Field(0, ge=0, description="seed of the folds")
    mirrors: bool = Field(False, description="score mirror images if trained with them")
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
    kind, mirrors = recipe.inputs, args.spec.mirrors and recipe.flips
    x, y_train = load_inputs(kind, args.data, args.hog, "train", classes)
    train, ensemble_train, out = score_training_part(
        members,
        *(x, y_train),
        classes=classes,
        folds=spec.folds,
        fold_seed=spec.fold_seed,
        mirrors=mirrors,
    )
    x, y = load_inputs(kind, args.data, args.hog, "test", classes)
    found = [probabilities(member.net(), x, mirrors) for member in members]
    p = np.stack([plain for plain, _ in found])  # (members, N, classes)
    flips = np.stack([both for _, both in found]) if mirrors else None

    first = members[0].history
    name, parameters, n = first["model"], first["parameters"], len(train)
    seconds = [member.history["seconds"] for member in members]
    make = row_maker(spec.dataset, first["provenance"], meta["data_sha256"])
    cv, cv_seconds, notes = out.accuracy, seconds[n:], dict(NOTES)
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
    if cv:
        rows.append(make(name, "cv", cv, parameters, float(np.mean(cv_seconds))))
    values, interval = scored(p[:n], y)
    rows.append(make(name, "test", values, *single, interval))
    print(f"{name}: train {np.mean(train):.4f}  test {np.mean(values):.4f}  ({n} seeds)")
    if mirrors:
        if out.flips_accuracy:
            both = (parameters, float(np.mean(seconds[n:])))
            rows.append(make(f"{name} + flips", "cv", out.flips_accuracy, *both))
        values, interval = scored(flips[:n], y)
        rows.append(make(f"{name} + flips", "test", values, *single, interval))
    if ensemble_train is not None:
        together = f"ensemble of {len(members) - n} folds, {name}"
        cost = (parameters * (len(members) - n), float(np.sum(seconds[n:])))
        rows.append(make(together, "train", [ensemble_train], *cost))
        for suffix, members_p in (("", p), (" + flips", flips)) if mirrors else (("", p),):
            values, interval = scored(members_p[n:].mean(axis=0, keepdims=True), y)
            rows.append(make(together + suffix, "test", values, *cost, interval))
    write_json(args.metrics, {"rows": rows, "notes": notes | {"recipe": first["recipe"]}})
    write_predictions(args.predictions, p[0], y)
    shown = slice(min(spec.examples, len(y)))
    images, _ = load_part(args.data, "test", classes)
    title = f"{name} on {meta.get('title', spec.dataset)}"
    write_examples(args.examples, images[shown], y[shown], p[0][shown], meta["classes"], title)
    unseen = {"out_of_fold": out.p, "out_of_fold_flips": out.flips}
    unseen |= {"out_of_fold_label": y_train, "out_of_fold_fold": out.fold}
    extra = {"flips": flips} | (unseen if out.accuracy else {})
    write_npz(
        args.probabilities,
        model=np.array(spec.model),
        name=np.array(name),
        ids=np.arange(len(y)),
        label=y,
        members=np.array([member.history["part"] for member in members]),
        parameters=np.array([parameters] * len(members)),
        seconds=np.array(seconds),
        p=p,
        **{key: array for key, array in extra.items() if array is not None},
    )


if __name__ == "__main__":
    settings.run(main)
