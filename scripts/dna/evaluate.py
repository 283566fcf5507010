"""Evaluate the DNA classifiers of all seeds on the validation split and, once, on the test split.

predictions.csv, submission.csv, curves.json and the ensemble's rows come from the mean of the
seeds' probabilities, of both strands where the model is trained on both; then there are rows of one
strand (views "none") too, which compare with published results. Rows of the subset "not in train"
leave out the test sequences that are in train or val too, as the training sees them: where it reads
both strands, also as their reverse complement. The models' settings come from their files.

curves.json, of the test split, for a report to draw:
    {"title": ..., "model": ..., "views": ..., "members": ..., "examples": N,
     "roc": [{"class": name, "auc": a, "false": [0, ..., 1], "true": [0, ..., 1]}],
     "precision_recall": [{"class": name, "share": s, "average_precision": p,
                           "recall": [...], "precision": [...]}],
     "reliability": {"calibration_error": e, "confidence": [...], "accuracy": [...],
                     "examples": [...]}}
roc (false and true positive rate) and precision_recall have an entry for each class against all
others, of two classes for the second alone; a horizontal line at `share` is what chance reaches. A
curve that the labels do not give is null. reliability has an entry for each of 15 equal bins of the
confidence that is not empty.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dna.model import TITLE, predict_views, read_split
from dna.scoring import curves, not_measured, rows_of, told, unseen_rows
from dna.settings import EvaluateSpec
from dna.stored_model import OF_DATA, load_all
from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.predictions import write_predictions
from pipeline.torch_setup import setup
from raw.prepared import load_arrays, load_json
from torch_nn.dna_classifier import DNAClassifier

NEEDED = (*OF_DATA, "labels", "repeated_rows", "reverse_complements")
OUTPUTS = {
    "metrics": "metrics.json",
    "predictions": "predictions.csv: id, label (the true one), prediction, p_<label> ...",
    "submission": "submission.csv for a leaderboard: id, label (the predicted one)",
    "attention": "attention.npz: the first seed's model on a test sequence",
    "curves": "curves.json: see above",
}


@torch.no_grad()
def attention_maps(model: DNAClassifier, letters: Tensor) -> dict[str, np.ndarray]:
    """Arrays of attention.npz: the weights of each layer on one sequence, letters (1, L)."""
    _, weights = model.eval().forward_with_attention(letters)  # (1, H, P, P) of each layer
    places = ["[CLS]"] * (model.pooling == "cls") + model.place_names(letters)
    maps = torch.cat(weights)  # (layers, H, P, P)
    return {
        "weights": maps.cpu().numpy().astype(np.float32),
        "query_tokens": np.array(places),
        "key_tokens": np.array(places),
        "layer_names": np.array([f"encoder layer {i + 1}" for i in range(len(maps))]),
    }


def classifier_rows(
    label: Mapping[str, np.ndarray],
    probabilities: Mapping[str, Sequence[np.ndarray]],
    unseen: np.ndarray,
    histories: Sequence[dict],
    **about,
) -> list[dict]:
    """Rows of val and test: the mean over seeds, and the ensemble if there are several.

    histories: one per seed; the rest is as in dna.scoring.rows_of.
    """
    about |= {"implementation": "torch"}
    single = {"members": "1", **cost(histories)}
    rows = rows_of(label, probabilities, unseen, **single, **about)
    if len(histories) > 1:
        mean = {split: [np.mean(found, axis=0)] for split, found in probabilities.items()}
        together = {"members": f"{len(histories)} seeds", **cost(histories, np.sum)}
        rows += rows_of(label, mean, unseen, **together, **about)
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
    unseen = unseen_rows(x, both_strands)
    about = {"model": TITLE, "dataset": meta["dataset"], "data_sha256": meta["data_sha256"]}
    rows = []
    for view in found["test"][0]:
        probabilities = {
            split: [views[view].cpu().numpy() for views in of_seeds]
            for split, of_seeds in found.items()
        }
        rows += classifier_rows(label, probabilities, unseen, histories, views=view, **about)
    print(told(rows))
    notes = {
        "predictions": f"mean of the probabilities of {len(histories)} seed(s), views: {view}",
        "interval": (
            "of MCC and accuracy: bootstrap over sequences, of one model's accuracy Wilson's; empty"
            " where there is one sequence, or all resamples have the same value"
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
    members = "1" if len(models) == 1 else f"{len(models)} seeds"
    drawn = {"title": meta["title"], "model": TITLE, "views": view, "members": members}
    drawn |= {"examples": len(mean), **curves(label["test"], mean, meta["classes"])}
    write_json(args.curves, drawn)
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
