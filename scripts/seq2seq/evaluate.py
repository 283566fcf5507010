"""Translate the held-out reading frames with each seed's model, and count what is right.

Greedily, which is the row that counts; by beam search, which is more costly; and greedily on
proteins that are longer than any in training. Predictions, attention and positions are those of
the first seed's model.
"""

import numpy as np
import torch
from torch import Tensor

from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.predictions import write_predictions
from pipeline.results import proportion_interval, row
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_json
from seq2seq.genetic_code import TARGET_END, TARGET_START, decode_frame, decode_protein
from seq2seq.model import TITLE, build, exact_rows, lengths, predict, read_split, token_share
from seq2seq.settings import EvaluateSpec
from torch_nn.transformer import Transformer

BEAMS = 4
OUTPUTS = {
    "metrics": "metrics.json",
    "predictions": "predictions.csv: id, frame, label, prediction",
    "attention": "attention.npz: cross-attention on a test frame",
    "positions": "positions.npz: the table of positions",
}


@torch.no_grad()
def cross_attention(model: Transformer, source: Tensor, tokens: Tensor) -> dict[str, np.ndarray]:
    """Arrays of attention.npz: cross-attention of each decoder layer while it translates one frame.

    source (1, Ts), tokens (1, Tt): the start, then what the model wrote. Query t is the step that
    writes token t + 1, so that its row should point to the codon of that amino acid.
    """
    model.eval()
    *_, weights = model.forward_with_attention(source, tokens[:, :-1], lengths(source))
    frame = decode_frame(source[0].tolist())
    written = [*decode_protein(tokens[0].tolist())]
    written += ["end"] * (TARGET_END in tokens[0])  # an untrained model may never end
    maps = torch.cat(weights)[:, :, : len(written), : len(frame)]  # (layers, H, Tt, Ts)
    return {
        "weights": maps.cpu().numpy().astype(np.float32),
        "query_tokens": np.array(written),
        "key_tokens": np.array(list(frame)),
        "layer_names": np.array([f"decoder layer {i + 1}" for i in range(len(maps))]),
    }


def main() -> None:
    inputs = {"data": "sequences.npz", "meta": "meta.json", **TRAININGS}
    args = settings.arguments(__doc__, EvaluateSpec, inputs, OUTPUTS)
    spec, device = args.spec, setup(0, args.spec.threads)
    meta = load_json(args.meta, ("dataset", "data_sha256", "sizes"))
    histories = read_histories(args.weights, args.histories)
    splits = {split: read_split(args.data, split, device) for split in ("val", "test")}
    source, target = splits["test"]
    long = read_split(args.data, "long", device)
    longest = long[0].size(1), long[1].size(1)
    models = [load_weights(path, build(spec.model, *longest).to(device)) for path in args.weights]
    answers = [  # split, views, subset, beams, pairs
        *((split, "none", "all", 1, pairs) for split, pairs in splits.items()),
        ("test", f"beam of {BEAMS}", "all", BEAMS, splits["test"]),
        ("test", "none", "longer than trained", 1, long),
    ]
    about = {"task": "translation", "dataset": meta["dataset"], "data_sha256": meta["data_sha256"]}
    about |= {"model": TITLE, "inputs": "nucleotides", "implementation": "torch"}
    rows = []
    for split, views, subset, beams, (x, wanted) in answers:
        predicted = [predict(model, x, wanted, beams)[0] for model in models]  # (N, Tt - 1) each
        if (split, views, subset) == ("test", "none", "all"):
            first = predicted[0]
        which = {"split": split, "views": views, "subset": subset}
        for metric, count in (("exact_match", exact_rows), ("token_accuracy", token_share)):
            counted = np.stack([count(p, wanted.cpu().numpy()) for p in predicted])
            values = counted.mean(axis=1).tolist()  # (seeds, N) -> seeds
            scores = {"values": values, "ci": proportion_interval(counted)}
            rows.append(row(metric=metric, **which, **scores, **about, **cost(histories)))
            print(f"{split}, {views}, {subset}: {metric} {rows[-1]['value']:.4f}")
    notes = {
        "task": "translate a DNA reading frame into its protein, nucleotide by nucleotide",
        "decoding": f"greedy; views says where it is by {BEAMS} beams, scored by log p per token",
        "longer than trained": "proteins of one to two times the longest length in training",
        "predictions": "first seed's model",
        "held_out": "no protein and no frame of the test split is in train or val",
        "sizes": meta["sizes"],
    }
    write_json(args.metrics, {"rows": rows, "notes": notes})
    frames = [decode_frame(tokens) for tokens in source.tolist()]
    proteins = [decode_protein(tokens) for tokens in target.tolist()]
    written = [decode_protein(tokens) for tokens in first.tolist()]
    write_predictions(args.predictions, proteins, written, more={"frame": frames})
    chosen = int(np.argmax(exact_rows(first, target.cpu().numpy())))  # the first right one, or 0
    tokens = torch.tensor([[TARGET_START, *first[chosen]]], device=device)  # (1, Tt)
    maps = cross_attention(models[0], source[chosen : chosen + 1], tokens)
    title = "Cross-attention: which nucleotides each amino acid is read from"
    write_npz(args.attention, title=np.array(title), **maps)
    table = models[0].source_positions.table[: source.size(1)]
    write_npz(args.positions, sinusoidal=table.cpu().numpy())


if __name__ == "__main__":
    settings.run(main)
