"""Translate the held-out reading frames greedily with each seed's model, and count."""

import numpy as np
import torch
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.history import read_histories
from pipeline.results import proportion_interval, row
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_json
from seq2seq.attention import cross_attention
from seq2seq.genetic_code import decode_frame, decode_protein
from seq2seq.model import (
    TITLE,
    Architecture,
    evaluate,
    exact_rows,
    read_split,
    token_share,
)


class Spec(settings.Settings):
    threads: int = Field(1, ge=1, description="threads of PyTorch")
    model: Architecture = Field(Architecture(), description="that of the training")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "data": "sequences.npz",
            "meta": "meta.json",
            "weights*": "the models, one a seed",
            "histories*": "their history.json, in the same order",
        },
        outputs={
            "metrics": "metrics.json",
            "predictions": "predictions.csv",
            "attention": "attention.npz",
            "positions": "positions.npz",
        },
    )
    histories = read_histories(args.weights, args.histories)
    spec, device = args.spec, setup(0, args.spec.threads)
    meta = load_json(args.meta, ("dataset", "data_sha256", "sizes"))
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    first = None
    for path in args.weights:
        for split in ("val", "test"):
            source, target = read_split(args.data, split, device)
            model = spec.model.build(source.size(1), target.size(1)).to(device)
            load_weights(path, model)
            predicted, _ = evaluate(model, source, target)
            wanted = target.cpu().numpy()
            found.setdefault(("exact_match", split), []).append(exact_rows(predicted, wanted))
            found.setdefault(("token_accuracy", split), []).append(token_share(predicted, wanted))
        first = first or (model, predicted)
    model, predicted = first
    rows = [
        row(
            task="translation",
            dataset=meta["dataset"],
            model=TITLE,
            implementation="torch",
            metric=metric,
            split=split,
            values=[float(values.mean()) for values in per_seed],
            ci=proportion_interval(np.stack(per_seed)),
            parameters=histories[0]["parameters"],
            train_seconds=float(np.mean([history["seconds"] for history in histories])),
            provenance=histories[0]["provenance"],
            data_sha256=meta["data_sha256"],
        )
        for (metric, split), per_seed in found.items()
    ]
    for line in rows:
        print(f"{line['split']} {line['metric']} {line['value']:.4f}")
    table = [
        {
            "id": i,
            "frame": decode_frame(x),
            "label": decode_protein(y),
            "prediction": decode_protein(p),
        }
        for i, (x, y, p) in enumerate(zip(source.tolist(), wanted, predicted, strict=True))
    ]
    write_csv(args.predictions, table, ["id", "frame", "label", "prediction"])
    chosen = int(np.argmax(exact_rows(predicted, wanted)))
    maps = cross_attention(
        model,
        source[chosen : chosen + 1],
        torch.cat([target[:1, :1], torch.from_numpy(predicted[chosen : chosen + 1]).to(device)], 1),
    )
    write_npz(
        args.attention,
        title=np.array("Cross-attention: which nucleotides each amino acid is read from"),
        **maps,
    )
    write_npz(args.positions, sinusoidal=model.source_positions.table.cpu().numpy())
    notes = {
        "task": "translate a DNA reading frame into its protein, nucleotide by nucleotide",
        "decoding": "greedy",
        "predictions": "first seed's model",
        "held_out": "no protein and no frame of the test split stands in train or val",
        "sizes": meta["sizes"],
    }
    write_json(args.metrics, {"rows": rows, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
