"""Measure a text without a neural network: Kneser-Ney n-grams and xz, on the splits of the GPT.

Both see the bytes of the documents with a separator between them: the n-grams as a symbol of its
own, xz as a byte 0.
"""

import lzma
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpt.kneser_ney import KneserNey
from gpt.settings import BaselinesSpec
from gpt.token_windows import load_tokens
from gpt.tokenizer import Tokenizer, load_tokenizer, split_stream
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.provenance import provenance
from pipeline.results import interval, row
from raw.prepared import load_json

INPUTS = {
    **{split: f"{split}.npy" for split in ("train", "val", "test")},
    "tokenizer": "tokenizer.json",
    "meta": "meta.json of the text",
}
NEEDED = ("dataset", "data_sha256", "n_bytes", "sizes", "split_names")
SEPARATOR = 256
# Discounts to choose from on the validation split.
DISCOUNTS = np.linspace(0.1, 1.0, 10)
# Symbols of one example of the interval.
WINDOW = 256


def symbols_of(tokenizer: Tokenizer, documents: Sequence[str]) -> np.ndarray:
    """One stream, uint16 (N,): the bytes of the documents, between separators if there are any."""
    ends = [] if tokenizer.separator is None else [SEPARATOR]
    parts = [np.array(ends, np.uint16)]
    for document in documents:
        parts += [np.frombuffer(document.encode(), np.uint8).astype(np.uint16), parts[0]]
    return np.concatenate(parts)


def packed(*streams: np.ndarray) -> int:
    """The bytes of streams after one another under xz -9e, without its container and checksum.

    Its dictionary holds all of them, so that the whole first stream is there to copy from.
    """
    data = np.concatenate(streams)
    data = np.where(data == SEPARATOR, 0, data).astype(np.uint8).tobytes()
    size = min(max(len(data), 1 << 20), 1_500_000_000)
    how = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": size}
    return len(lzma.compress(data, lzma.FORMAT_RAW, filters=[how]))


def main() -> None:
    args = settings.arguments(__doc__, BaselinesSpec, INPUTS, {"out": "baselines.json"})
    meta = load_json(args.meta, NEEDED)
    tokenizer = load_tokenizer(args.tokenizer)
    streams = {
        split: symbols_of(tokenizer, split_stream(tokenizer, load_tokens(path, 0).tolist()))
        for split, path in (("train", args.train), ("val", args.val), ("test", args.test))
    }
    about = {"task": "language_modelling", "inputs": "bytes", "data_sha256": meta["data_sha256"]}
    about |= {"dataset": meta["dataset"], "provenance": provenance(1, "cpu", ("numpy",))}
    about |= {"train_flops": None}
    names = {"test": meta["split_names"].get("test", "test")}
    if "val" not in names.values():
        names["val"] = "val"
    rows = []

    def add(split: str, nats: float, ci: tuple[float, float] | None, **of_model: Any) -> None:
        """A row in bits per byte; in nats per token, too, if a token is a byte.

        nats: of the whole split; ci: its interval, as a share of nats.
        """
        units = {"bits_per_byte": math.log(2) * meta["n_bytes"][split]}
        if len(streams[split]) == meta["sizes"][split]:
            units["nats_per_token"] = meta["sizes"][split] - 1
        for metric, unit in units.items():
            value = nats / unit
            scores = {"values": [value], "ci": ci and (ci[0] * value, ci[1] * value)}
            rows.append(row(metric=metric, split=names[split], **scores, **of_model, **about))
            print(f"{of_model['model']}: {names[split]} {metric} {value:.4f}", flush=True)

    chosen = {}
    for order in args.spec.orders:
        started = time.monotonic()
        model = KneserNey(streams["train"], order)
        ngram = {"model": f"Kneser-Ney {order}-gram", "implementation": "numpy"}
        ngram |= {"parameters": model.parameters, "train_seconds": time.monotonic() - started}
        on_val = sum(nats.sum(axis=1) for nats in model.nats(streams["val"], DISCOUNTS))
        discount = DISCOUNTS[[np.argmin(on_val)]]  # (1,)
        chosen[f"{order}-gram"] = round(float(discount[0]), 2)
        for split in names:
            nats = np.concatenate([nats[0] for nats in model.nats(streams[split], discount)])
            windows = np.add.reduceat(nats, np.arange(0, len(nats), WINDOW))
            add(split, nats.sum(), interval(np.mean, windows / windows.mean()), **ngram)
    started = time.monotonic()
    train = packed(streams["train"])
    xz = {"implementation": "xz", "parameters": None, "ci": None}
    seconds = time.monotonic() - started
    for split in names:
        alone = packed(streams[split])
        after = packed(streams["train"], streams[split]) - train
        nats = 8 * math.log(2)  # of a byte
        add(split, alone * nats, model="xz", train_seconds=0.0, **xz)
        add(split, after * nats, model="xz after the training text", train_seconds=seconds, **xz)
    notes = {
        "n-grams": (
            "interpolated Kneser-Ney on bytes (Chen and Goodman 1999), one discount for all orders,"
            f" chosen on the validation split: {chosen}; weights are the counts that are kept"
        ),
        "xz": (
            "8 x bytes of LZMA2 at -9e, no container, over the bytes of the documents; `xz`: the"
            " held-out text alone; `after the training text`: what it adds behind the training"
            " text, which the dictionary holds as a whole"
        ),
        "interval": f"n-grams: bootstrap over windows of {WINDOW} bytes; xz: none",
    }
    write_json(args.out, {"rows": rows, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
