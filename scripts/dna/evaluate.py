"""Evaluate the DNA classifiers of all seeds on the validation split and, once, on the test split.

predictions.csv, submission.csv and the ensemble's rows come from the mean of the seeds'
probabilities. Rows of the subset "not in train" leave out the test sequences that are in train or
val too.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dna.model import TITLE, build, predict, read_split
from dna.sequences import LETTERS, PAD, known_rows
from dna.settings import EvaluateSpec
from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.classification_metrics import accuracy, matthews
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.predictions import write_predictions
from pipeline.results import interval, proportion_interval, row
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_arrays, load_json
from torch_nn.dna_classifier import DNAClassifier

OUTPUTS = {
    "metrics": "metrics.json",
    "predictions": "predictions.csv: id, label (the true one), prediction, p_0 ...",
    "submission": "submission.csv for a leaderboard: id, label (the predicted one)",
    "attention": "attention.npz: the first seed's model on a test sequence",
}


@torch.no_grad()
def attention_maps(model: DNAClassifier, tokens: Tensor) -> dict[str, np.ndarray]:
    """Arrays of attention.npz: the weights of each layer on one sequence, tokens (1, T)."""
    _, weights = model.eval().forward_with_attention(tokens)  # (1, H, T, T) of each layer
    letters = ["[CLS]"] * (model.pooling == "cls")
    letters += [LETTERS[token] for token in tokens[0].tolist() if token != PAD]
    maps = torch.cat(weights)[:, :, : len(letters), : len(letters)]  # (layers, H, T, T)
    return {
        "weights": maps.cpu().numpy().astype(np.float32),
        "query_tokens": np.array(letters),
        "key_tokens": np.array(letters),
        "layer_names": np.array([f"encoder layer {i + 1}" for i in range(len(maps))]),
    }


def score(label: np.ndarray, predictions: Sequence[np.ndarray], **about) -> list[dict]:
    """A row for each metric, with one value for each of the predictions (N,)."""

    def mean_mcc(label: np.ndarray, *predictions: np.ndarray) -> float:
        return float(np.mean([matthews(label, prediction) for prediction in predictions]))

    of_mcc = interval(mean_mcc, label, *predictions)
    of_accuracy = proportion_interval(np.stack(predictions) == label)
    metrics = (("mcc", matthews, of_mcc), ("accuracy", accuracy, of_accuracy))
    return [
        row(metric=name, values=[metric(label, found) for found in predictions], ci=ci, **about)
        for name, metric, ci in metrics
    ]


def classifier_rows(
    label: Mapping[str, np.ndarray],
    probabilities: Mapping[str, Sequence[np.ndarray]],
    unseen: np.ndarray,
    histories: Sequence[dict],
    **about,
) -> list[dict]:
    """Rows of val and test: the mean over seeds, and the ensemble if there are several.

    label (N,) and each seed's probabilities (N, K) of val and test; unseen: bool (N,), the test
    rows that are in no other split: if they are not all, further rows count only them. histories:
    one per seed.
    """
    about |= {"task": "dna_classification", "inputs": "nucleotides", "implementation": "torch"}
    kinds = [("1", cost(histories), probabilities)]
    if len(histories) > 1:
        mean = {split: [np.mean(found, axis=0)] for split, found in probabilities.items()}
        kinds.append((f"{len(histories)} seeds", cost(histories, np.sum), mean))
    parts = [("val", "all", slice(None)), ("test", "all", slice(None))]
    if not unseen.all():
        parts.append(("test", "not in train", unseen))
    rows = []
    for split, subset, counted in parts:
        for members, trained, found in kinds:
            answers = [p.argmax(axis=1)[counted] for p in found[split]]  # (N,) each
            which = {"split": split, "subset": subset, "members": members}
            rows += score(label[split][counted], answers, **which, **trained, **about)
    return rows


def main() -> None:
    inputs = {"data": "sequences.npz", "meta": "meta.json", **TRAININGS}
    args = settings.arguments(__doc__, EvaluateSpec, inputs, OUTPUTS)
    spec, device = args.spec, setup(0, args.spec.threads)
    meta = load_json(args.meta, ("classes", "data_sha256", "dataset", "repeated_rows", "title"))
    histories = read_histories(args.weights, args.histories)
    splits = {split: read_split(args.data, split, device) for split in ("train", "val", "test")}
    x = {split: tokens.cpu().numpy() for split, (tokens, _) in splits.items()}
    label = {split: y.cpu().numpy() for split, (_, y) in splits.items()}
    shape = spec.model, x["test"].shape[1], len(meta["classes"])
    models = [load_weights(path, build(*shape).to(device)) for path in args.weights]
    probabilities = {
        split: [predict(m, splits[split][0], spec.both_strands).cpu().numpy() for m in models]
        for split in ("val", "test")
    }  # (N, K) of each seed
    unseen = ~known_rows(x["test"], np.concatenate([x["train"], x["val"]]))
    about = {"model": TITLE, "dataset": meta["dataset"], "data_sha256": meta["data_sha256"]}
    about["views"] = "both strands" if spec.both_strands else "none"
    rows = classifier_rows(label, probabilities, unseen, histories, **about)
    for line in rows:
        what = ", ".join(f"{key} {line[key]}" for key in ("split", "subset", "members"))
        print(f"{what}: {line['metric']} {line['value']:.4f}")
    notes = {
        "predictions": f"mean of the probabilities of {len(histories)} seed(s)",
        "test_rows_in_train_or_val": int((~unseen).sum()),
        "repeated_rows": meta["repeated_rows"],
        "selection": "early stopping by validation loss; only this program reads the test split",
    }
    if "bayes_accuracy" in meta:
        notes["bayes_accuracy"] = meta["bayes_accuracy"]
    write_json(args.metrics, {"rows": rows, "notes": notes})
    (ids,) = load_arrays(args.data, "test_id")
    mean = np.mean(probabilities["test"], axis=0)  # (N, K)
    answer = mean.argmax(axis=1)  # (N,)
    write_predictions(args.predictions, label["test"], answer, mean, ids)
    submission = [{"id": i, "label": k} for i, k in zip(ids, answer, strict=True)]
    write_csv(args.submission, submission, ["id", "label"])
    right = probabilities["test"][0].argmax(axis=1) == label["test"]
    chosen = int(np.argmax(right))  # the first one that is right, or row 0 if none is
    title = f"{meta['title']}: self-attention on a test sequence"
    title += " that is classified correctly" * bool(right[chosen])
    maps = attention_maps(models[0], splits["test"][0][chosen : chosen + 1])
    write_npz(args.attention, title=np.array(title), **maps)


if __name__ == "__main__":
    settings.run(main)
