"""Train one point of the grid on all folds but one and score it on that one.

Reads only the training part of the data set.
"""

from mlp.inputs import DATA
from mlp.settings import GridPoint, HeldOutSpec
from mlp.training import load_training, run_to_end, train_flops
from pipeline import settings
from pipeline.atomic import write_json


def main() -> None:
    outputs = {"out": "JSON: the grid point, its accuracy on the fold (null: diverged), the curve"}
    args = settings.arguments(__doc__, HeldOutSpec, DATA, outputs)
    spec = args.spec
    training = load_training(spec, args)
    found = {
        **spec.model_dump(include=set(GridPoint.model_fields)),
        "dataset": spec.dataset,
        "fold": spec.fold,
        **run_to_end(training),
        "train_flops": train_flops(training),
    }
    write_json(args.out, found)


if __name__ == "__main__":
    settings.run(main)
