"""Train one candidate for one rung of the halving search and score it on the held-out fold.

The candidate is the one at `place` in the ranking of the rung before. Reads only the training part
of the data set. A result that was kept, from the same settings, code, data and candidate, is used
again: a ranking that changed below its survivors retrains nothing.
"""

from mlp.halving import entrant, recall, result_key
from mlp.inputs import DATA, data_files
from mlp.settings import RungSpec
from mlp.training import changed, load_training, run_to_end
from pipeline import settings
from pipeline.atomic import write_json

INPUTS = {**DATA, "ranking": "ranking.json of the rung before; candidates.json for rung 0"}
OUTPUTS = {
    "out": "JSON: the candidate, its accuracy (null if diverged), the curve",
    "kept?": "folder of the results of earlier runs; none: nothing is kept",
}


def main() -> None:
    args = settings.arguments(__doc__, RungSpec, INPUTS, OUTPUTS)
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
        outcome = {name: candidate[name] for name in ("diverged", "message", "parameters")}
        outcome |= {"accuracy": None, "loss": None, "seconds": 0.0, "curve": []}
    else:
        outcome = run_to_end(load_training(changed(spec, candidate["settings"]), args))
    result = {
        **spec.model_dump(include={"dataset", "rung", "place", "epochs"}),
        **{name: candidate[name] for name in ("candidate", "settings")},
        **outcome,
        "key": key,
    }
    for path in filter(None, (kept, args.out)):
        write_json(path, result)


if __name__ == "__main__":
    settings.run(main)
