"""Measure DNA classifiers without attention: GC content, k-mers, boosted trees, a small CNN.

GC content: logistic regression on the share of G and C, and its square. k-mers: logistic regression
on the counts of k-mers, and, where sequences are aligned (one length, one strand), on those and the
letter at each place. Boosted trees: on counts of k-mers. CNN: torch_nn's classifier without encoder
layers. Where a class does not depend on the strand, a k-mer and its reverse complement are one.
What each leaves open is chosen by the MCC on val: k, the features and the penalty of the
regression, how many trees, after which epoch of the CNN. The test split is read once, by what was
chosen.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MaxAbsScaler
from torch.nn.functional import cross_entropy

from dna.model import build, predict_views, read_split
from dna.scoring import curves, rows_of, told, unseen_rows
from dna.sequences import PAD, UNKNOWN
from dna.settings import BaselinesSpec, Model
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.classification_metrics import accuracy, matthews
from pipeline.provenance import provenance
from pipeline.seeds import shuffled
from pipeline.torch_setup import setup
from raw.prepared import load_json
from torch_nn.dna_augmentation import reverse_complement
from torch_nn.flops import forward_flops
from torch_nn.optimisation import clipped_step
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle

NEEDED = ("classes", "data_sha256", "dataset")
SPLITS = ("train", "val", "test")
Splits = dict[str, Any]  # of each split
# A stem of two convolutions, and the largest value of each channel: motifs, wherever they are.
CNN = Model(
    token_width=8, stem_kernel=15, stem_pools=[2, 2], stem_norm=True, n_layers=0, d_model=64,
    pooling="max", dropout=0.0, head_dropout=0.3,
)  # fmt: skip
CNN_LR, CNN_BATCH = 2e-3, 64
GC_STRENGTH = 1e4  # of two numbers none needs a penalty


def kmer_counts(x: np.ndarray, k: int, both_strands: bool) -> sp.csr_array:
    """How often each word of k letters is in each sequence, float32 (N, 4^k).

    x (N, L): letters. Words with N or padding do not count. both_strands: a word and its reverse
    complement are counted as the smaller of them.
    """
    places = max(x.shape[1] - k + 1, 0)  # T
    numbers, others = np.zeros((2, len(x), places), np.int32)  # (N, T) each
    known = np.ones((len(x), places), bool)  # (N, T)
    for j in range(k):
        letter = x[:, j : j + places].astype(np.int32)  # (N, T)
        numbers = 4 * numbers + letter
        others += 4**j * (3 - letter)  # the other strand has this letter's partner first
        known &= letter < UNKNOWN
    if both_strands:
        numbers = np.minimum(numbers, others)
    row, place = np.nonzero(known)
    entries = np.ones(len(row), np.float32), (row, numbers[row, place])
    return sp.csr_array(sp.coo_array(entries, shape=(len(x), 4**k)))


def letters_at_places(x: np.ndarray) -> sp.csr_array:
    """One number for each place and letter, float32 (N, 4 L): 1 where it is there."""
    row, place = np.nonzero(x < UNKNOWN)
    entries = np.ones(len(row), np.float32), (row, 4 * place + x[row, place])
    return sp.csr_array(sp.coo_array(entries, shape=(len(x), 4 * x.shape[1])))


def gc_content(x: np.ndarray) -> np.ndarray:
    """The share of G and C among the known letters, and its square, float64 (N, 2)."""
    known = np.maximum((x < UNKNOWN).sum(axis=1), 1)
    share = ((x == 1) | (x == 2)).sum(axis=1) / known
    return np.stack([share, share**2], axis=1)


def quality(label: np.ndarray, answer: np.ndarray) -> float:
    """What the choices on val go by: MCC x 100; accuracy where val has one class alone."""
    mcc = matthews(label, answer)
    return mcc if math.isfinite(mcc) else accuracy(label, answer)


def of_all_classes(found: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities (N, known) as (N, classes): 0 for a class that is not in train."""
    probabilities = np.zeros((len(found), classes))
    probabilities[:, known] = found
    return probabilities


class Baseline:
    """A trained model: what it was chosen to be, its probabilities of val and test by views, and
    what it cost."""

    def __init__(self, model: str, implementation: str):
        self.about: dict[str, Any] = {"model": model, "implementation": implementation}
        self.about |= {"train_flops": None, "parameters": None}
        self.chosen: dict[str, Any] = {}
        self.views: dict[str, dict[str, np.ndarray]] = {}
        self.started = time.monotonic()

    def finish(self) -> "Baseline":
        self.about["train_seconds"] = time.monotonic() - self.started
        return self


def best_regression(
    name: str,
    features: Sequence[tuple[dict, Splits]],
    strengths: Sequence[float],
    y: Splits,
    classes: int,
) -> Baseline:
    """The logistic regression, of all features and strengths, that is best on val.

    features: (what they are, the matrix of each split).
    """
    found, best = Baseline(name, "scikit-learn"), None
    for about, x in features:
        scale = MaxAbsScaler().fit(x["train"])
        scaled = {split: scale.transform(matrix) for split, matrix in x.items()}
        for strength in strengths:
            model = LogisticRegression(C=strength, max_iter=300).fit(scaled["train"], y["train"])
            reached = quality(y["val"], model.predict(scaled["val"]))
            if best is None or reached > best[0]:
                best = reached, model, scaled, {**about, "strength": strength}
    assert best is not None
    _, model, scaled, found.chosen = best
    found.views["none"] = {
        split: of_all_classes(model.predict_proba(scaled[split]), model.classes_, classes)
        for split in ("val", "test")
    }
    found.about["parameters"] = model.coef_.size + model.intercept_.size
    return found.finish()


def best_trees(x: Splits, y: Splits, classes: int, trees: int, seed: int) -> Baseline:
    """Gradient boosting (Friedman 2001) on counts x (N, D), with the number of trees that is best
    on val."""
    found = Baseline("gradient boosting on k-mers", "scikit-learn")
    model = HistGradientBoostingClassifier(
        max_iter=trees, learning_rate=0.1, early_stopping=False, random_state=seed
    ).fit(x["train"], y["train"])
    answers = model.staged_predict(x["val"])
    best = int(np.argmax([quality(y["val"], answer) for answer in answers]))
    found.chosen = {"trees": best + 1}
    for split in ("val", "test"):
        stages = model.staged_predict_proba(x[split])
        p = next(p for number, p in enumerate(stages) if number == best)
        found.views.setdefault("none", {})[split] = of_all_classes(p, model.classes_, classes)
    return found.finish()


def best_cnn(data: Splits, classes: int, spec: BaselinesSpec) -> Baseline:
    """The small CNN after the epoch that is best on val.

    data: (letters, labels) of each split, tensors.
    """
    found = Baseline("small CNN", "torch")
    x, y = data["train"]
    model = build(CNN, x.size(1), classes).to(x.device)
    optimizer = torch.optim.AdamW(model.parameters(), CNN_LR, weight_decay=0.05)
    per_epoch = -(-len(x) // CNN_BATCH)
    steps = spec.cnn_epochs * per_epoch
    rate, best = one_cycle(steps, steps // 20, final=0.01), -np.inf
    for step in range(steps):
        epoch, position = divmod(step, per_epoch)
        order = shuffled(len(x), spec.seed, epoch)
        batch = torch.from_numpy(order[position * CNN_BATCH :][:CNN_BATCH]).to(x.device)
        letters = x[batch]  # (B, L)
        if spec.both_strands:
            turned = torch.rand(len(batch), 1, device=x.device) < 0.5  # (B, 1)
            letters = torch.where(turned, reverse_complement(letters, PAD), letters)
        loss = cross_entropy(model(letters), y[batch])
        clipped_step(model, optimizer, loss, CNN_LR * rate(step), clip=1.0)
        if position == per_epoch - 1:
            views = predict_views(model, data["val"][0], spec.both_strands)
            answers = [*views.values()][-1].argmax(dim=1).cpu().numpy()
            reached = quality(data["val"][1].cpu().numpy(), answers)
            if reached > best:
                best, found.chosen = reached, {"epoch": epoch + 1}
                weights = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(weights)
    found.about["parameters"] = parameter_count(model)
    found.about["train_flops"] = 3 * forward_flops(model, x[:1]) * len(x) * spec.cnn_epochs
    for split in ("val", "test"):
        for view, p in predict_views(model, data[split][0], spec.both_strands).items():
            found.views.setdefault(view, {})[split] = p.cpu().numpy()
    return found.finish()


def regressions(x: Splits, y: Splits, classes: int, spec: BaselinesSpec) -> list[Baseline]:
    """GC content and k-mers."""
    gc = {split: gc_content(rows) for split, rows in x.items()}
    aligned = not spec.both_strands and not any((rows == PAD).any() for rows in x.values())
    features: list[tuple[dict, Splits]] = []
    for k in spec.orders:
        counts = {split: kmer_counts(rows, k, spec.both_strands) for split, rows in x.items()}
        features.append(({"k": k, "letters at places": False}, counts))
        if aligned:
            both = {s: sp.hstack([counts[s], letters_at_places(x[s])]).tocsr() for s in SPLITS}
            features.append(({"k": k, "letters at places": True}, both))
    return [
        best_regression("GC content", [({}, gc)], [GC_STRENGTH], y, classes),
        best_regression("logistic regression on k-mers", features, spec.strengths, y, classes),
    ]


def main() -> None:
    inputs = {"data": "sequences.npz", "meta": "meta.json"}
    args = settings.arguments(__doc__, BaselinesSpec, inputs, {"out": "baselines.json"})
    spec, device = args.spec, setup(args.spec.seed, args.spec.threads)
    meta = load_json(args.meta, NEEDED)
    classes = len(meta["classes"])
    data = {split: read_split(args.data, split, device) for split in SPLITS}
    x = {split: letters.cpu().numpy().astype(np.uint8) for split, (letters, _) in data.items()}
    y = {split: labels.cpu().numpy() for split, (_, labels) in data.items()}
    counts = {
        split: kmer_counts(rows, spec.tree_order, spec.both_strands).toarray()
        for split, rows in x.items()
    }
    makers: list[Callable[[], list[Baseline]]] = [
        lambda: regressions(x, y, classes, spec),
        lambda: [best_trees(counts, y, classes, spec.trees, spec.seed)],
    ]
    if spec.cnn_epochs:
        makers.append(lambda: [best_cnn(data, classes, spec)])
    unseen = unseen_rows(x, spec.both_strands)
    about = {"dataset": meta["dataset"], "data_sha256": meta["data_sha256"], "members": "1"}
    about["provenance"] = provenance(spec.threads, device.type, ("torch", "numpy", "scikit-learn"))
    rows, chosen, drawn = [], [], []
    for baseline in (one for make in makers for one in make()):
        for view, found in baseline.views.items():
            probabilities = {split: [p] for split, p in found.items()}
            rows += rows_of(y, probabilities, unseen, views=view, **baseline.about, **about)
        told_of = {"title": meta["title"], "model": baseline.about["model"], "views": view}
        drawn.append(
            told_of | {"members": "1", **curves(y["test"], found["test"], meta["classes"])}
        )
        words = ", ".join(f"{name} {value}" for name, value in baseline.chosen.items())
        chosen.append(f"{baseline.about['model']}: {words}")
        print(chosen[-1], flush=True)
    print(told(rows))
    notes = {"chosen": f"by the MCC on val: {'; '.join(chosen)}"}
    write_json(args.out, {"rows": rows, "notes": notes, "curves": drawn})


if __name__ == "__main__":
    settings.run(main)
