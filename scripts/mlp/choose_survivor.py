"""The choice of the halving search: the first of the last rung's ranking."""

from mlp.settings import DatasetSpec
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.read_json import read_json

INPUTS = {"rankings*": "ranking.json of every rung, in order"}
OUTPUTS = {"out": "selection.json"}


def main() -> None:
    args = settings.arguments(__doc__, DatasetSpec, INPUTS, OUTPUTS)
    rankings = [
        read_json(path, ["dataset", "rung", "candidates", "seconds"]) for path in args.rankings
    ]
    found = [(ranking["dataset"], ranking["rung"]) for ranking in rankings]
    if found != (expected := [(args.spec.dataset, rung) for rung in range(len(rankings))]):
        raise InputError(f"--rankings: expected {expected}, found {found}: rank again")
    best = rankings[-1]["candidates"][0]
    selection = {
        "dataset": args.spec.dataset,
        "candidate": best["candidate"],
        "selected": best["settings"],
        "accuracy": best["accuracy"],
        "rungs": [
            {"epochs": r["epochs"], "candidates": len(r["candidates"]), "seconds": r["seconds"]}
            for r in rankings
        ],
        "seconds": sum(ranking["seconds"] for ranking in rankings),
    }
    write_json(args.out, selection)


if __name__ == "__main__":
    settings.run(main)
