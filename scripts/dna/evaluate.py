"""Evaluate the trained DNA classifiers of all seeds, on dev and, once, on the test split.

predictions.csv, submission.csv and the row "ensemble" hold the mean of the seeds' probabilities.
Rows named "(test rows not in train or dev)" leave out sequences that the training has seen.
"""

import numpy as np
import torch
from pydantic import Field

from dna.model import TITLE, Architecture, predict, read_split
from dna.scores import classifier_rows
from dna.sequences import LETTERS, PAD
from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.history import read_histories
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_json


class Spec(settings.Settings):
    threads: int = Field(1, ge=1, description="threads of PyTorch")
    model: Architecture = Field(Architecture(), description="that of the training")
    both_strands: bool = Field(False, description="that of the training")


def attention_example(model, tokens, label, prediction) -> dict[str, np.ndarray]:
    """Arrays of attention.npz for the first test sequence that is classified correctly, if any."""
    chosen = int(np.argmax(label == prediction))
    _, weights = model.eval().forward_with_attention(tokens[chosen : chosen + 1])
    letters = [LETTERS[token] for token in tokens[chosen].tolist() if token != PAD]
    letters = ["[CLS]"] * (model.pooling == "cls") + letters
    maps = torch.cat(weights)[:, :, : len(letters), : len(letters)]  # (layers, H, T, T)
    return {
        "weights": maps.detach().cpu().numpy().astype(np.float32),
        "query_tokens": np.array(letters),
        "key_tokens": np.array(letters),
        "layer_names": np.array([f"encoder layer {i + 1}" for i in range(len(maps))]),
    }


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
            "predictions": "predictions.csv: id, label (the true one), prediction, p_0 ...",
            "submission": "submission.csv for a leaderboard: id, label (the predicted one)",
            "attention": "attention.npz",
        },
    )
    histories = read_histories(args.weights, args.histories)
    spec, device = args.spec, setup(0, args.spec.threads)
    meta = load_json(args.meta, ("classes", "repeated_rows", "title"))
    x = {split: read_split(args.data, split, device) for split in ("train", "dev", "test")}
    label = {split: y.cpu().numpy() for split, (_, y) in x.items()}
    probabilities = {"dev": [], "test": []}
    attention = {}
    for path in args.weights:
        model = spec.model.build(x["test"][0].size(1), len(meta["classes"])).to(device)
        load_weights(path, model)
        for split, found in probabilities.items():
            found.append(predict(model, x[split][0], spec.both_strands).cpu().numpy())
        if not attention:
            guess = probabilities["test"][0].argmax(axis=1)
            attention = attention_example(model, x["test"][0], label["test"], guess)
    mean = {split: np.mean(found, axis=0) for split, found in probabilities.items()}
    tokens = {split: t.cpu().numpy() for split, (t, _) in x.items()}
    rows, seen = classifier_rows(TITLE, tokens, label, probabilities, histories, meta)
    for line in rows:
        print(f"{line['model']}: {line['split']} {line['metric']} {line['value']:.4f}")
    notes = {
        "predictions": f"mean of the probabilities of {len(histories)} seed(s)",
        "test_rows_seen_in_train_or_dev": seen,
        "repeated_rows": meta["repeated_rows"],
        "selection": "early stopping by dev loss; the test split was read by this program alone",
    }
    if "bayes_accuracy" in meta:
        notes["bayes_accuracy"] = meta["bayes_accuracy"]
    with np.load(args.data, allow_pickle=False) as stored:
        ids = stored["test_id"]
    guess = mean["test"].argmax(axis=1)
    table = [
        {"id": i, "label": y, "prediction": g, **{f"p_{k}": float(v) for k, v in enumerate(p)}}
        for i, y, g, p in zip(ids, label["test"], guess, mean["test"], strict=True)
    ]
    columns = ["id", "label", "prediction", *(f"p_{k}" for k in range(len(meta["classes"])))]
    write_csv(args.predictions, table, columns)
    write_csv(
        args.submission,
        [{"id": i, "label": g} for i, g in zip(ids, guess, strict=True)],
        ["id", "label"],
    )
    title = f"{meta['title']}: self-attention on a test sequence that is classified correctly"
    write_npz(args.attention, title=np.array(title), **attention)
    write_json(args.metrics, {"rows": rows, "notes": notes})


if __name__ == "__main__":
    settings.run(main)
