"""Train one point of the grid on all folds but one and score it on that one.

Reads only the training part of the data set.
"""

from mlp.inputs import DATA
from mlp.settings import GridPoint, HeldOutSpec
from mlp.training import load_training, run_to_end, scored_epoch, train_flops
from pipeline import settings
from pipeline.atomic import write_json


def main() -> None:
    args = settings.arguments(
        __doc__,
        HeldOutSpec,
        inputs=DATA,
        outputs={"out": "JSON: the grid point, the fold's accuracy (null if diverged), the curve"},
    )
    spec = args.spec
    training = load_training(spec, args)
    curve, message = run_to_end(training)
    found = {
        **spec.model_dump(include=set(GridPoint.model_fields)),
        "dataset": spec.dataset,
        "fold": spec.fold,
        "accuracy": None if message else scored_epoch(training, curve)["val_accuracy"],
        "diverged": message is not None,
        "message": message,
        "seconds": training.seconds,
        "train_flops": train_flops(training),
        "curve": curve,
    }
    write_json(args.out, found)


if __name__ == "__main__":
    settings.run(main)
