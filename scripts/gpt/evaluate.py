"""Measure trained GPTs, one per seed, on the whole validation and held-out streams, once."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gpt.model import title
from gpt.settings import EvaluateSpec, Model
from gpt.stored_model import load
from gpt.token_windows import covering_windows, load_tokens
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.read_json import read_json
from pipeline.results import interval, proportion_interval, row
from pipeline.torch_setup import setup
from raw.prepared import load_json
from torch_nn.gpt import GPT
from torch_nn.perplexity import window_nats

INPUTS = {
    "val": "val.npy",
    "test": "test.npy, read here and nowhere else",
    "meta": "meta.json of the text",
    **TRAININGS,
    "samples?": "samples.json of the first seed's model, for the share that is accepted",
}
NEEDED = ("dataset", "data_sha256", "n_bytes", "protocol", "split_names", "tokenizer", "vocab_size")


def mean_nats(nats: np.ndarray, counts: np.ndarray) -> float:
    """Nats per token over windows."""
    return float(nats.sum() / counts.sum())


def load_all(
    paths: Sequence[Path], meta: Mapping[str, Any], device: torch.device
) -> tuple[list[GPT], Model]:
    """The models, and the shape that all have.

    Raises InputError for one of another shape, or trained on another text than that of `meta`.
    """
    loaded = [load(path, device) for path in paths]
    shape = loaded[0][2].model
    for path, (_, _, about) in zip(paths, loaded, strict=True):
        if about.model != shape:
            raise InputError(f"{path}: expected the shape of {paths[0]}, found {about.model!r}")
        if about.data_sha256 != meta["data_sha256"]:
            wrong = f"expected a model that was trained on this text ({meta['dataset']})"
            raise InputError(f"{path}: {wrong}, found one of another ({about.dataset})")
    return [model for model, _, _ in loaded], shape


def main() -> None:
    args = settings.arguments(__doc__, EvaluateSpec, INPUTS, {"out": "metrics.json"})
    spec = args.spec
    device = setup(0, spec.threads, spec.device)
    meta = load_json(args.meta, NEEDED)
    histories = read_histories(args.weights, args.histories, "best_step")
    models, shape = load_all(args.weights, meta, device)
    context = shape.context
    if (stride := spec.stride or context) > context:
        wrong = f"expected at most the model's context {context}, found {stride}"
        raise InputError(f"stride: {wrong}: tokens between windows would not count")
    about = {"task": "language_modelling", "model": title(shape), "inputs": "tokens"}
    about |= {"implementation": "torch"} | {name: meta[name] for name in ("dataset", "data_sha256")}
    rows = []
    for split in ("test", "val"):
        name = meta["split_names"].get(split, split)
        if split == "val" and name in meta["split_names"].values():
            continue  # the published protocol calls the held-out text val: ours is no row
        tokens = load_tokens(getattr(args, split), context)
        for apart in sorted({context, stride}, reverse=True):
            views = "none" if apart == context else "sliding windows"
            windows = list(covering_windows(tokens, context, apart))
            per_seed = []
            for path, model in zip(args.weights, models, strict=True):
                nats, counts = (part.numpy() for part in window_nats(model, windows))
                per_seed.append(nats)
                told = f"{mean_nats(nats, counts):.4f} nats per token"
                print(f"{split}, a window every {apart}, {path}: {told}", flush=True)
            values = np.array([mean_nats(nats, counts) for nats in per_seed])
            ci = interval(mean_nats, np.mean(per_seed, axis=0), counts)
            # All nats, those of separators too, over the bytes of the documents without separators.
            to_bits = counts.sum() / math.log(2) / meta["n_bytes"][split]
            for metric, factor in (("nats_per_token", 1.0), ("bits_per_byte", to_bits)):
                scores = {"values": (values * factor).tolist(), "split": name, "views": views}
                scores["ci"] = ci and (ci[0] * factor, ci[1] * factor)
                rows.append(row(metric=metric, **scores, **about, **cost(histories)))
                print(f"{meta['dataset']} {name}, views {views}: {metric} {rows[-1]['value']:.4f}")
    notes = {
        "data": meta["protocol"],
        "protocol": (
            "each token of the whole stream but the first is predicted once, in disjoint windows of"
            f" {context} tokens; documents are one stream, with a separator between them; float32"
        ),
        **(
            {"sliding windows": f"of which the last {stride} tokens count"}
            if stride < context
            else {}
        ),
        "bits_per_byte": (
            "nats of all tokens, separators too, / ln 2 / bytes of the documents as cleaned"
            " (n_bytes in meta.json); a separator counts as no byte"
        ),
        "tokenizer": f"{meta['tokenizer']}, {meta['vocab_size']} tokens",
        "best_step": [history["best_step"] for history in histories],
        "interval": "bootstrap over windows, of the mean over seeds; accepted_share: Wilson's",
    }
    samples = read_json(args.samples, ["judged", "accepted_share"]) if args.samples else {}
    if (share := samples.get("accepted_share")) is not None:
        judged = samples["judged"]
        ci = proportion_interval(np.arange(judged) < round(share * judged))
        scores = {"metric": "accepted_share", "split": "test", "values": [share], "ci": ci}
        rows.append(row(**scores, **about, **cost(histories[:1])))
        notes["accepted_share"] = f"of {judged} stories by the first seed's model"
    write_json(args.out, {"rows": rows, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
