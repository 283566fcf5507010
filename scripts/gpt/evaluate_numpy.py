"""Measure the GPT by hand on the whole held-out stream, once."""

import math
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from gpt.numpy_model import Window, load, title, window_nats
from gpt.settings import NumpyEvaluateSpec
from gpt.token_windows import covering_windows, load_tokens
from numpy_nn.gpt import GPT
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.history import cost, read_histories
from pipeline.results import interval, row
from raw.prepared import load_json

INPUTS = {
    "val": "val.npy",
    "test": "test.npy",
    "meta": "meta.json of the text",
    "weights": "model.npz of gpt.train_numpy",
    "history": "its history.json",
}
NEEDED = ("dataset", "data_sha256", "n_bytes", "split_names")

Measure = Callable[[Iterable[Window]], tuple[np.ndarray, np.ndarray]]  # window_nats of a model


def mean_nats(nats: np.ndarray, counts: np.ndarray) -> float:
    """Nats per token over windows."""
    return float(nats.sum() / counts.sum())


def rows(
    args: Namespace, model: GPT, measure: Measure, name: str, implementation: str
) -> Iterator[dict]:
    """The rows of the leaderboard, on the files of INPUTS; `model` tells the context."""
    meta = load_json(args.meta, NEEDED)
    about = {"task": "language_modelling", "model": name, "inputs": "tokens"}
    about |= {name: meta[name] for name in ("dataset", "data_sha256")}
    about |= cost(read_histories([args.weights], [args.history]))
    for split in ("test", "val"):
        shown = meta["split_names"].get(split, split)
        if split == "val" and shown in meta["split_names"].values():
            continue  # the published protocol calls the held-out text val: ours is no row
        tokens = load_tokens(getattr(args, split), model.context)
        nats, counts = measure(covering_windows(tokens, model.context, model.context))
        ci = interval(mean_nats, nats, counts)
        to_bits = counts.sum() / math.log(2) / meta["n_bytes"][split]
        for metric, factor in (("nats_per_token", 1.0), ("bits_per_byte", to_bits)):
            scores = {
                "values": [mean_nats(nats, counts) * factor],
                "metric": metric,
                "split": shown,
            }
            scores["ci"] = ci and (ci[0] * factor, ci[1] * factor)
            yield row(implementation=implementation, **scores, **about)
            print(f"{meta['dataset']} {shown} {metric} {scores['values'][0]:.4f}", flush=True)


def main() -> None:
    args = settings.arguments(__doc__, NumpyEvaluateSpec, INPUTS, {"out": "metrics.json"})
    model = load(args.weights)
    found = list(
        rows(args, model, lambda windows: window_nats(model, windows), title(model), "numpy")
    )
    notes = {"by hand": f"trained and evaluated in NumPy, in disjoint windows of {model.context}"}
    write_json(args.out, {"rows": found, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
