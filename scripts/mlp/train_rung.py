"""Train one candidate for one rung of the halving search and score it on the held-out fold.

The candidate is the one at `place` in the ranking of the rung before. Reads only the training part
of the data set. A result that was kept, from the same settings, code, data and candidate, is used
again: a ranking that changed below its survivors retrains nothing.
"""

from mlp.halving import entrant, recall, result_key
from mlp.inputs import DATA, data_files
from mlp.model import parameter_count
from mlp.settings import RungSpec
from mlp.training import changed, load_training, run_to_end, scored_epoch
from pipeline import settings
from pipeline.atomic import write_json


def main() -> None:
    args = settings.arguments(
        __doc__,
        RungSpec,
        inputs={**DATA, "ranking": "ranking.json of the rung before; candidates.json for rung 0"},
        outputs={
            "out": "JSON: the candidate, its accuracy (null if diverged), the curve",
            "kept?": "folder of the results of earlier runs; none: nothing is kept",
        },
    )
    spec = args.spec
    candidate = entrant(args.ranking, spec.dataset, spec.rung, spec.place)
    key = result_key(args.spec_key, candidate, data_files(args))
    kept = args.kept / f"{key}.json" if args.kept else None
    if result := recall(kept):
        write_json(args.out, result)
        print(f"{args.out}: already the result of {candidate['candidate']}: kept")
        return
    # A training that is stopped must not leave the result of another one behind.
    args.out.unlink(missing_ok=True)
    if candidate.get("diverged"):
        curve, message, best, seconds = [], candidate["message"], {}, 0.0
        parameters = candidate["parameters"]
    else:
        training = load_training(changed(spec, candidate["settings"]), args)
        curve, message = run_to_end(training)
        best = {} if message else scored_epoch(training, curve)
        seconds, parameters = training.seconds, parameter_count(training.model)
    result = {
        "dataset": spec.dataset,
        "rung": spec.rung,
        "place": spec.place,
        **{name: candidate[name] for name in ("candidate", "settings")},
        "epochs": spec.epochs,
        "accuracy": best.get("val_accuracy"),
        "loss": best.get("val_loss"),
        "diverged": message is not None,
        "message": message,
        "seconds": seconds,
        "parameters": parameters,
        "curve": curve,
        "key": key,
    }
    for path in filter(None, (kept, args.out)):
        write_json(path, result)


if __name__ == "__main__":
    settings.run(main)
