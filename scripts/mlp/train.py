"""Train one of the room's models by its chosen recipe: on the whole training part, or on all folds
but one, on which it is then scored.

Continues from its checkpoint if a run with the same settings, code and inputs was stopped; the
result is then the same to the last bit. The test part is not read.
"""

from mlp.inputs import DATA, data_files
from mlp.model import inputs_name, parameter_count, title
from mlp.settings import FullRecipe, TrainSpec
from mlp.training import changed, load_training, train_flops
from mlp.views import probabilities
from numpy_nn.prediction import evaluate
from numpy_nn.training import TrainingDiverged
from pipeline import settings
from pipeline.atomic import write_npz
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from pipeline.provenance import provenance
from pipeline.read_json import read_json
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun


def main() -> None:
    inputs = {**DATA, "selection?": "selection.json that has the recipe; none: --spec has it"}
    args = settings.arguments(__doc__, TrainSpec, inputs, TRAINING_OUTPUTS)
    chosen, files = {}, [args.data, *data_files(args)]
    if args.selection:
        chosen = read_json(args.selection, ["selected"])["selected"]
        files.append(args.selection)
    spec = changed(args.spec, chosen)
    training = load_training(spec, args)
    origin = provenance(spec.threads, packages=("numpy",))
    checkpoint = Checkpoint.of(args, *files)
    run = TrainingRun(args.history, training, checkpoint, spec.epochs, provenance=origin)
    for _epoch in run:
        try:
            run.append(training.run_epoch())
        except TrainingDiverged as error:
            raise InputError(str(error)) from None
        if training.finished:
            break

    model, out_of_fold = training.model, None
    if training.validation:
        x, y = training.validation
        out_of_fold = {"accuracy": evaluate(probabilities(model, x), y)[1], "examples": len(y)}
    write_npz(args.weights, **model.state_dict())
    run.finish(
        task="image_classification",
        dataset=spec.dataset,
        model=title(spec, spec.model, model.architecture),
        inputs=inputs_name(spec),
        seed=spec.seed,
        part=f"fold{spec.fold}" if training.validation else f"seed{spec.seed}",
        fold=spec.fold,
        recipe=spec.model_dump(include=set(FullRecipe.model_fields)),
        candidate=chosen,
        seconds=training.seconds,  # of the epochs alone, without validation
        parameters=parameter_count(model),
        train_flops=train_flops(training),
        out_of_fold=out_of_fold,
        weights_sha256=file_sha256(args.weights),
    )


if __name__ == "__main__":
    settings.run(main)
