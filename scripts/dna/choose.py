"""Choose one of several models by the validation split, each of them trained briefly.

The best has the highest MCC on val of its epoch with the lowest loss there; of equal ones, the
lower loss. The test split is not read. choice.json: candidate (the number of the chosen one, from
0), its model and both_strands, and the scores of all.
"""

from collections.abc import Mapping
from operator import itemgetter

from dna.settings import ChooseSpec
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.read_json import read_json


def score(history: Mapping) -> dict:
    """Of a training: the val scores at its epoch with the lowest val loss, its size and time."""
    best = min(history["curve"], key=itemgetter("val_loss"))
    scores = {name: best.get(name) for name in ("val_mcc", "val_accuracy", "val_loss")}
    return {**scores, **{name: history[name] for name in ("parameters", "seconds")}}


def main() -> None:
    inputs = {"histories*": "history.json of each candidate's training, in their order"}
    args = settings.arguments(__doc__, ChooseSpec, inputs, {"out": "choice.json"})
    candidates = args.spec.candidates
    if len(args.histories) != len(candidates):
        wrong = f"expected {len(candidates)} histories, found {len(args.histories)}"
        raise InputError(f"{wrong}: one for each candidate")
    keys = ("curve", "parameters", "seconds")
    scores = [score(read_json(path, keys, "Train again.")) for path in args.histories]
    order = sorted(
        range(len(scores)),
        key=lambda k: (-(scores[k]["val_mcc"] or 0.0), scores[k]["val_loss"]),
    )
    tried = [{**c.model_dump(), **s} for c, s in zip(candidates, scores, strict=True)]
    for number in order:
        found, model = tried[number], candidates[number].model
        strands = "both strands" if found["both_strands"] else "one strand"
        shape = f"pooling {model.pooling}, stem {model.stem_kernel}, d_model {model.d_model}"
        mcc = "none" if found["val_mcc"] is None else f"{found['val_mcc']:.1f}"
        print(
            f"candidate {number}: {shape}, {strands}: val MCC {mcc}, loss {found['val_loss']:.4f}"
        )
    write_json(
        args.out, {"candidate": order[0], **candidates[order[0]].model_dump(), "tried": tried}
    )


if __name__ == "__main__":
    settings.run(main)
