"""Train one point of the grid on all folds but one and score it on that one.

Reads only the training part of the data set.
"""

from mlp.folds import split
from mlp.inputs import load_inputs
from mlp.settings import GridPoint, HeldOutSpec
from mlp.training import build_training, run_to_end, scored_epoch, train_flops
from pipeline import settings
from pipeline.atomic import write_json
from raw.image_data import load_meta


def main() -> None:
    args = settings.arguments(
        __doc__,
        HeldOutSpec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "hog?": "folder of its features, for a recipe that reads them",
        },
        outputs={"out": "JSON: the grid point, the fold's accuracy (null if diverged), the curve"},
    )
    spec = args.spec
    classes = len(load_meta(args.meta)["classes"])
    x, y = load_inputs(spec.inputs, args.data, args.hog, "train", classes)
    kept, held_out = split(y, spec.fold, spec.folds, spec.fold_seed, spec.examples)
    validation = x.subset(held_out), y[held_out]
    training = build_training(
        spec, x.subset(kept), y[kept], validation, classes=classes, seed=spec.fold_seed
    )
    curve, message = run_to_end(training)
    write_json(
        args.out,
        {
            **{name: getattr(spec, name) for name in GridPoint.model_fields},
            "dataset": spec.dataset,
            "fold": spec.fold,
            "accuracy": None if message else scored_epoch(training, curve)["val_accuracy"],
            "diverged": message is not None,
            "message": message,
            "seconds": training.seconds,
            "train_flops": train_flops(training),
            "curve": curve,
        },
    )


if __name__ == "__main__":
    settings.run(main)
