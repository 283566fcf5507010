"""Measure the GPT by hand on the whole validation and held-out streams, once."""

import math

import numpy as np

from gpt.numpy_model import load, title, window_nats
from gpt.settings import NumpyEvaluateSpec
from gpt.token_windows import covering_windows, load_tokens
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.history import cost, read_histories
from pipeline.results import interval, row
from raw.prepared import load_json

INPUTS = {
    "val": "val.npy",
    "test": "test.npy",
    "meta": "meta.json of the text",
    "weights": "model.npz",
    "history": "its history.json",
}
NEEDED = ("dataset", "data_sha256", "n_bytes", "protocol", "split_names")


def mean_nats(nats: np.ndarray, counts: np.ndarray) -> float:
    """Nats per token over windows."""
    return float(nats.sum() / counts.sum())


def main() -> None:
    args = settings.arguments(__doc__, NumpyEvaluateSpec, INPUTS, {"out": "metrics.json"})
    meta, model = load_json(args.meta, NEEDED), load(args.weights)
    histories = read_histories([args.weights], [args.history])
    about = {"task": "language_modelling", "model": title(model), "inputs": "tokens"}
    about |= {"implementation": "numpy"} | {name: meta[name] for name in ("dataset", "data_sha256")}
    rows = []
    for split in ("test", "val"):
        name = meta["split_names"].get(split, split)
        if split == "val" and name in meta["split_names"].values():
            continue  # the published protocol calls the held-out text val: ours is no row
        tokens = load_tokens(getattr(args, split), model.context)
        windows = covering_windows(tokens, model.context, model.context)
        nats, counts = window_nats(model, windows)
        ci = interval(mean_nats, nats, counts)
        to_bits = counts.sum() / math.log(2) / meta["n_bytes"][split]
        for metric, factor in (("nats_per_token", 1.0), ("bits_per_byte", to_bits)):
            scores = {"values": [mean_nats(nats, counts) * factor]}
            scores["ci"] = ci and (ci[0] * factor, ci[1] * factor)
            rows.append(row(metric=metric, split=name, **scores, **about, **cost(histories)))
            print(f"{meta['dataset']} {name} {metric} {rows[-1]['value']:.4f}", flush=True)
    notes = {
        "data": meta["protocol"],
        "protocol": (
            "each token of the whole stream but the first is predicted once, in disjoint windows"
            f" of {model.context} tokens; float32, forward and backward in NumPy"
        ),
        "interval": "bootstrap over windows",
    }
    write_json(args.out, {"rows": rows, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
