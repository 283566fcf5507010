"""Train one candidate for one rung of the halving search and score it on the held-out fold.

The candidate is the one at `place` in the ranking of the rung before. Reads only the training part
of the data set. A result that was kept, from the same settings, code, data and candidate, is used
again: a ranking that changed below its survivors retrains nothing.
"""

from mlp.folds import split
from mlp.halving import causes, entrant
from mlp.inputs import load_inputs
from mlp.kept import keep, key, recall
from mlp.model import parameter_count
from mlp.recipe import changed
from mlp.settings import RungSpec
from mlp.training import build_training, run_to_end, scored_epoch
from pipeline import settings
from pipeline.atomic import write_json
from raw.image_data import load_meta


def main() -> None:
    args = settings.arguments(
        __doc__,
        RungSpec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "hog?": "folder of its features, for a recipe that reads them",
            "ranking": "ranking.json of the rung before; candidates.json for rung 0",
        },
        outputs={
            "out": "JSON: the candidate, its accuracy (null if diverged), the curve",
            "kept?": "folder of the results of earlier runs; none: nothing is kept",
        },
    )
    spec = args.spec
    candidate = entrant(args.ranking, spec.dataset, spec.rung, spec.place)
    files = [args.meta, *([args.hog / "meta.json"] if args.hog else [])]
    expected = key(args.spec_key, causes(candidate), *files)
    if result := recall(args.kept, expected):
        write_json(args.out, result)
        print(f"{args.out}: already the result of {candidate['candidate']}: kept")
        return
    # A training that is stopped must not leave the result of another one behind.
    args.out.unlink(missing_ok=True)
    curve, message, seconds, parameters = [], candidate.get("message"), 0.0, 0
    best = {}
    if candidate.get("diverged"):
        parameters = candidate["parameters"]
    else:
        recipe = changed(spec, candidate["settings"])
        classes = len(load_meta(args.meta)["classes"])
        x, y = load_inputs(recipe.inputs, args.data, args.hog, "train", classes)
        train, held_out = split(y, spec.fold, spec.folds, spec.fold_seed, spec.examples)
        validation = x.subset(held_out), y[held_out]
        training = build_training(
            recipe, x.subset(train), y[train], validation, classes=classes, seed=spec.fold_seed
        )
        curve, message = run_to_end(training)
        best = scored_epoch(training, curve) if message is None else {}
        seconds, parameters = training.seconds, parameter_count(training.model)
    result = {
        "dataset": spec.dataset,
        "rung": spec.rung,
        "place": spec.place,
        "candidate": candidate["candidate"],
        "settings": candidate["settings"],
        "epochs": spec.epochs,
        "accuracy": best.get("val_accuracy"),
        "loss": best.get("val_loss"),
        "diverged": message is not None,
        "message": message,
        "seconds": seconds,
        "parameters": parameters,
        "curve": curve,
        "key": expected,
    }
    keep(args.kept, result)
    write_json(args.out, result)


if __name__ == "__main__":
    settings.run(main)
