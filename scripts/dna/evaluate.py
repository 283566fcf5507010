"""Evaluate the DNA classifiers of all seeds on the validation split and, once, on the test split.

predictions.csv, submission.csv and the ensemble's rows come from the mean of the seeds'
probabilities, of both strands where the model is trained on both; then there are rows of one strand
(views "none") too, which compare with published results. Rows of the subset "not in train" leave
out the test sequences that are in train or val too, as the training sees them: where it reads both
strands, also as their reverse complement. The models' settings come from their files.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dna.model import TITLE, predict_views, read_split
from dna.sequences import LETTERS, PAD, as_trained, known_rows
from dna.settings import EvaluateSpec
from dna.stored_model import OF_DATA, load_all
from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.classification_metrics import accuracy, matthews
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.predictions import write_predictions
from pipeline.results import interval, proportion_interval, row
from pipeline.torch_setup import setup
from raw.prepared import load_arrays, load_json
from torch_nn.dna_classifier import DNAClassifier

NEEDED = (*OF_DATA, "labels", "repeated_rows", "reverse_complements")
OUTPUTS = {
    "metrics": "metrics.json",
    "predictions": "predictions.csv: id, label (the true one), prediction, p_<label> ...",
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
    """A row for each metric, with one value for each of the predictions (N,), N > 0.

    There is none for a metric that these labels do not give (see not_measured).
    """

    def mean_mcc(label: np.ndarray, *predictions: np.ndarray) -> float:
        return float(np.mean([matthews(label, prediction) for prediction in predictions]))

    of_mcc = interval(mean_mcc, label, *predictions)
    of_accuracy = proportion_interval(np.stack(predictions) == label)
    metrics = (("mcc", matthews, of_mcc), ("accuracy", accuracy, of_accuracy))
    found = [(name, [metric(label, p) for p in predictions], ci) for name, metric, ci in metrics]
    return [
        row(metric=name, values=values, ci=ci, **about)
        for name, values, ci in found
        if all(map(math.isfinite, values))
    ]


def parts(label: Mapping[str, np.ndarray], unseen: np.ndarray) -> dict[tuple, np.ndarray]:
    """(split, subset) -> which of its rows count, bool (N,); unseen: see classifier_rows."""
    found = {(split, "all"): np.ones(len(label[split]), bool) for split in ("val", "test")}
    return found if unseen.all() else {**found, ("test", "not in train"): unseen}


def not_measured(label: Mapping[str, np.ndarray], unseen: np.ndarray) -> list[str]:
    """A line for each part of the data that does not give every metric."""
    lines = []
    for (split, subset), counted in parts(label, unseen).items():
        classes = np.unique(label[split][counted])
        if len(classes) < 2:
            what = f"{counted.sum()} row(s), all of one class: no MCC"
            lines.append(f"{split}, {subset}: {what if len(classes) else 'no rows: no metric'}")
    return lines


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
    rows = []
    for (split, subset), counted in parts(label, unseen).items():
        for members, trained, found in kinds if counted.any() else ():
            answers = [p.argmax(axis=1)[counted] for p in found[split]]  # (N,) each
            which = {"split": split, "subset": subset, "members": members}
            rows += score(label[split][counted], answers, **which, **trained, **about)
    return rows


def main() -> None:
    inputs = {"data": "sequences.npz", "meta": "meta.json", **TRAININGS}
    args = settings.arguments(__doc__, EvaluateSpec, inputs, OUTPUTS)
    device = setup(0, args.spec.threads)
    meta = load_json(args.meta, NEEDED)
    histories = read_histories(args.weights, args.histories)
    splits = {split: read_split(args.data, split, device) for split in ("train", "val", "test")}
    x = {split: tokens.cpu().numpy() for split, (tokens, _) in splits.items()}
    label = {split: y.cpu().numpy() for split, (_, y) in splits.items()}
    models, about_model = load_all(args.weights, meta, device)
    both_strands = about_model.both_strands
    found = {
        split: [predict_views(m, splits[split][0], both_strands) for m in models]
        for split in ("val", "test")
    }  # (N, K) by views, of each seed
    alike = {split: as_trained(tokens, both_strands) for split, tokens in x.items()}
    unseen = ~known_rows(alike["test"], np.concatenate([alike["train"], alike["val"]]))
    about = {"model": TITLE, "dataset": meta["dataset"], "data_sha256": meta["data_sha256"]}
    rows = []
    for view in found["test"][0]:
        probabilities = {
            split: [views[view].cpu().numpy() for views in of_seeds]
            for split, of_seeds in found.items()
        }
        rows += classifier_rows(label, probabilities, unseen, histories, views=view, **about)
    for line in rows:
        what = ", ".join(f"{key} {line[key]}" for key in ("split", "subset", "members", "views"))
        print(f"{what}: {line['metric']} {line['value']:.4f}")
    notes = {
        "predictions": f"mean of the probabilities of {len(histories)} seed(s), views: {view}",
        "interval": (
            "bootstrap over sequences, of one model's accuracy Wilson's; empty where there is one"
            " sequence, or all resamples have the same value"
        ),
        "test_rows_in_train_or_val": int((~unseen).sum()),
        "repeated_rows": meta["repeated_rows"],
        "reverse_complements": meta["reverse_complements"],
        "selection": "early stopping by validation loss; only this program reads the test split",
    }
    if missing := not_measured(label, unseen):
        notes["not_measured"] = "; ".join(missing)
        print(f"not measured: {notes['not_measured']}")
    if "bayes_accuracy" in meta:
        notes["bayes_accuracy"] = meta["bayes_accuracy"]
    write_json(args.metrics, {"rows": rows, "notes": notes})
    (ids,) = load_arrays(args.data, "test_id")
    mean = np.mean(probabilities["test"], axis=0)  # (N, K)
    answer = mean.argmax(axis=1)  # (N,)
    words = np.array(meta["labels"])
    write_predictions(
        args.predictions, words[label["test"]], words[answer], mean, ids, classes=words
    )
    submission = [{"id": i, "label": k} for i, k in zip(ids, words[answer], strict=True)]
    write_csv(args.submission, submission, ["id", "label"])
    right = probabilities["test"][0].argmax(axis=1) == label["test"]
    chosen = int(np.argmax(right))  # the first one that is right, or row 0 if none is
    title = f"{meta['title']}: self-attention on a test sequence"
    title += " that is classified correctly" * bool(right[chosen])
    maps = attention_maps(models[0], splits["test"][0][chosen : chosen + 1])
    write_npz(args.attention, title=np.array(title), **maps)


if __name__ == "__main__":
    settings.run(main)
