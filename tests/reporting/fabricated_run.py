"""Files as the rooms write them, with made-up numbers: what the report's tests run on."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.results import row

PROVENANCE = {
    "commit": "0123456789ab",
    "threads": 1,
    "device": "cpu",
    "processor": "Example Processor 3000",
    "kernels": "AVX2, float32",
    "cores": 2,
    "versions": {"python": "3.11.7", "numpy": "2.4.6"},
}
SHA = "ab" * 32
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker"]
CLASSES += ["Bag", "Ankle boot"]


def metrics_row(**changed) -> dict:
    """One row of metrics.json; `changed` replaces what row() is given."""
    given = {
        "task": "image_classification",
        "dataset": "fashion_mnist",
        "model": "MLP 784-512-256-10",
        "inputs": "pixels",
        "implementation": "numpy",
        "metric": "accuracy",
        "split": "test",
        "values": [0.901, 0.9035, 0.9002],
        "ci": (0.8955, 0.9075),
        "parameters": 535818,
        "train_seconds": 61.2,
        "train_flops": 1.93e13,
        "provenance": PROVENANCE,
        "data_sha256": SHA,
    }
    return row(**{**given, **changed})


def of_this_run(**changed) -> dict:
    """A row of the leaderboard."""
    given = {"ci": None, **changed}
    return {**metrics_row(**given), "source": "this run", "run": "x", "config_sha256": ""}


def history(task: str, dataset: str, model: str, seed: int, start: float, end: float) -> dict:
    rng = np.random.default_rng(seed)
    curve = []
    for epoch in range(1, 13):
        loss = end + (start - end) * np.exp(-epoch / 3)
        point = {"step": epoch * 100, "epoch": epoch, "lr": 0.1}
        point["train_loss"] = loss * 0.9 + 0.01 * rng.random()
        point["val_loss"] = loss + 0.02 * rng.random()
        if "classification" in task:
            point["train_accuracy"] = float(np.exp(-point["train_loss"]))
            point["val_accuracy"] = float(np.exp(-point["val_loss"]))
        curve.append(point)
    head = {"task": task, "dataset": dataset, "model": model, "seed": seed, "curve": curve}
    cost = {"seconds": 60.5 + seed, "parameters": 535818, "train_flops": 1.93e13}
    return {**head, **cost, "provenance": PROVENANCE}


def selection() -> dict:
    candidates = []
    for lr in (0.03, 0.1, 0.3):
        for batch in (32, 64, 128):
            for dropout in (0.0, 0.2, 0.4):
                mean = 0.9 - (lr - 0.1) ** 2 - 0.0001 * batch - 0.05 * (dropout - 0.2) ** 2
                folds = [mean + d for d in (-0.004, 0.001, 0.003)]
                point = {"lr": lr, "batch_size": batch, "dropout": dropout, "fold_accuracy": folds}
                candidates.append({**point, "mean": mean, "std": 0.0036})
    best = max(candidates, key=lambda c: c["mean"])
    selected = {k: best[k] for k in ("lr", "batch_size", "dropout")}
    return {"dataset": "fashion_mnist", "candidates": candidates, "selected": selected}


def write_predictions(path: Path, classes: int, n: int = 400) -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, classes, n)
    right = rng.random(n) < 0.85
    prediction = np.where(right, label, rng.integers(0, classes, n))
    names = [f"p_{k}" for k in range(classes)]
    chance = dict.fromkeys(names, 1 / classes)
    rows = [
        {"id": i, "label": int(a), "prediction": int(b), **chance}
        for i, (a, b) in enumerate(zip(label, prediction, strict=True))
    ]
    write_csv(path, rows, ["id", "label", "prediction", *names])


def write_data(processed: Path) -> None:
    """The test splits that the figures of errors show: noise of the right shapes."""
    rng = np.random.default_rng(1)
    for dataset, shape in (("fashion_mnist", (400, 28, 28)), ("cifar10", (400, 32, 32, 3))):
        write_json(processed / dataset / "meta.json", {"classes": CLASSES})
        images = rng.integers(0, 255, shape, np.uint8)
        write_npz(processed / dataset / "images.npz", test_x=images)
    folder = processed / "gue" / "prom_core_tata"
    write_json(folder / "meta.json", {"classes": ["no promoter", "promoter"]})
    sequences = {"test_x": rng.integers(0, 4, (400, 70), np.uint8), "test_id": np.arange(400)}
    write_npz(folder / "sequences.npz", **sequences)


def write_study(path: Path, model: str) -> None:
    rng = np.random.default_rng(4)
    accuracy = np.linspace(0.3, 0.8, 6)
    side = 32 if model == "MLP" else 3
    write_npz(
        path,
        model=np.array(model),
        parameters=np.array(1_000_000),
        curve=np.stack([np.linspace(1e12, 6e12, 6), accuracy], axis=1),
        accuracy=np.array(0.79),
        shifted=accuracy[::-1][:5],
        filters=rng.integers(0, 256, (20, side, side, 3), np.uint8),
    )


def write_attention(path: Path) -> None:
    rng = np.random.default_rng(2)
    tokens = list("ATGGCCAAATTTGGGTAA")
    proteins = list("MAKFG*")
    raw = rng.random((2, 4, len(proteins), len(tokens))) ** 4
    raw += 2 * (np.arange(18)[None] // 3 == np.arange(6)[:, None])
    write_npz(
        path,
        weights=(raw / raw.sum(-1, keepdims=True)).astype(np.float32),
        query_tokens=np.array(proteins),
        key_tokens=np.array(tokens),
        title=np.array("cross-attention from protein to DNA"),
        layer_names=np.array(["decoder layer 1", "decoder layer 2"]),
    )


def write_twins(path: Path) -> None:
    """Losses of 40 steps that are the same at first."""
    rng = np.random.default_rng(3)
    by_hand = 4 * np.exp(-np.arange(40) / 20)
    apart = 1e-6 * rng.random(40) * (np.arange(40) > 2)
    found = {"task": "language_modelling", "dataset": "tinyshakespeare", "model": "GPT 4x4x128"}
    for dtype, steps in (("float32", 40), ("float64", 10)):
        both = {"numpy": by_hand[:steps].tolist(), "torch": (by_hand + apart)[:steps].tolist()}
        found[dtype] = {**both, "largest_difference": float(apart[:steps].max())}
    write_json(path, found)


def write_positions(path: Path, length: int = 64, width: int = 64) -> None:
    angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    table = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(length, width)
    write_npz(path, sinusoidal=table.astype(np.float32))


def samples(dataset: str, text: str, accepted: float | None) -> dict:
    sampling = {"temperature": 0.8, "top_k": 40, "top_p": 0.95}
    found = [
        {"prompt": "Once upon a time", "text": text, **sampling, "seed": seed} for seed in (1, 2, 3)
    ]
    head = {"task": "language_modelling", "dataset": dataset, "stand_in": accepted is not None}
    figures = {"words": 900, "distinct_2": 0.41, "distinct_3": 0.72, "distinct_4": 0.88}
    figures |= {"longest_copy": 61, "median_copy": 27.0}
    quality = [{"of": "the model", **figures, "complete": 0.96}]
    quality += [{"of": "held-out text", **figures, "complete": None}]
    head |= {"judged": 50, "quality": quality}
    return {**head, "samples": found, "note": "", "accepted_share": accepted}


def score_curves(model: str, area: float) -> dict:
    """A curves.json of two classes."""
    rise = [0.0, 0.2, 1.0]
    return {
        "title": "", "model": model, "views": "none", "members": "1", "examples": 10,
        "roc": [{"class": "promoter", "auc": area, "false": rise, "true": [0.0, area, 1.0]}],
        "precision_recall": [
            {"class": "promoter", "share": 0.5, "average_precision": area, "recall": rise,
             "precision": [1.0, area, 0.5]}
        ],
        "reliability": {"calibration_error": 0.031, "confidence": [0.6, 0.9],
                        "accuracy": [0.5, 1.0], "examples": [2, 8]},
    }  # fmt: skip


def motifs() -> dict:
    """A motifs.json with a known motif and one without a name, on both strands."""
    sharp = np.array([[25] * 4] * 4 + [[97, 1, 1, 1], [1, 1, 1, 97]] * 3 + [[25] * 4] * 4)
    told = {
        "class": "promoter", "letters": sharp.tolist(), "sequences": 80, "of": 100,
        "begin": [3, 5, 5], "place": 4, "length": 6, "effect": 2.5, "in_class": 0.75,
        "elsewhere": 0.25,
    }  # fmt: skip
    known = {"name": "TATA box", "consensus": "ATATAT", "source": "Someone (1999)", "score": 0.9}
    profile = {"id": "7", "class": "promoter", "probability": 0.98, "letters": "ACGTN" * 20}
    profile |= {"effects": [0.0, 1.5, -0.5, 0.2, 0.0] * 20, "marks": [[0, 36, 42], [1, 60, 66]]}
    head = {"title": "", "model": "Transformer encoder", "both_strands": True, "aligned": True}
    head["read"] = [{"class": "promoter", "sequences": 120, "right": 100}]
    found = [{**told, "known": known}, {**told, "known": None, "elsewhere": None}]
    return {**head, "motifs": found, "profiles": [profile, {**profile, "marks": []}]}


def ranking(rung: int, epochs: int, settings: dict[str, dict], survivors: int) -> dict:
    """A rung's ranking.json: the later a candidate's name the better; c00 diverges."""
    candidates = [
        {
            "candidate": name,
            "settings": found,
            "parameters": 1_000_000,
            "accuracy": None if name == "c00" else 0.9 + 0.002 * int(name[1:]) + 0.003 * rung,
            "diverged": name == "c00",
            "message": None,
            "seconds": 2.5 * epochs,
            "survives": False,
            "came_from": 0,
        }
        for name, found in settings.items()
    ]
    candidates.sort(key=lambda c: -1 if c["accuracy"] is None else c["accuracy"], reverse=True)
    for candidate in candidates[:survivors]:
        candidate["survives"] = True
    head = {"dataset": "fashion_mnist", "rung": rung, "epochs": epochs, "survivors": survivors}
    return {**head, "candidates": candidates, "seconds": 2.5 * epochs * len(candidates)}


def fabricate_mlp(run: Path, put: Callable[[str, str], Path]) -> None:
    """Part 1: three models, flips and ensembles of folds of two, shifts of one, and a mix."""
    logistic = {"model": "logistic regression", "values": [0.844], "ci": (0.837, 0.851)}
    image, plain = "image_classification", "MLP 784-512-256-10"
    for name, model, inputs, add in (
        ("plain", plain, "pixels", 0.0),
        ("searched", "MLP 2388-1024-1024-10", "pixels + HOG", 0.036),
        ("mixer", "Mixer of 49 tokens x 48, 1 block", "pixels", 0.04),
    ):
        of = {"model": model, "inputs": inputs}
        test = [0.901 + add, 0.9035 + add, 0.9002 + add]
        around = {"ci": (0.8955 + add, 0.9075 + add)}
        rows = [
            metrics_row(**of, values=test, **around),
            metrics_row(**of, split="train", values=[0.99, 0.991, 0.992], ci=None),
            metrics_row(
                **of, split="cv", values=[0.89 + add, 0.9 + add], ci=None, train_seconds=7.0
            ),
        ]
        together = {**of, "members": "5 folds", "ci": None, "parameters": 5 * 535818}
        if name != "plain":
            rows += [
                metrics_row(**of, views="flips", values=[v + 0.002 for v in test], ci=None),
                metrics_row(**together, values=[0.909 + add]),
                metrics_row(**together, split="cv", values=[0.897 + add]),
                metrics_row(**together, views="flips", values=[0.9105 + add]),
            ]
            if name == "mixer":
                moved = {"views": "flips and shifts"}
                rows += [
                    metrics_row(**of, **moved, values=[v + 0.003 for v in test], ci=None),
                    metrics_row(**together, **moved, values=[0.911 + add]),
                ]
        else:
            rows += [metrics_row(**logistic, parameters=7850, train_seconds=9.0)]
        notes = {"interval": "Wilson's", "predictions": f"of {name}"}
        write_json(put("metrics", f"mlp/{name}/metrics.json"), {"rows": rows, "notes": notes})
        for seed in (1, 2, 3):
            found = {**history(image, "fashion_mnist", model, seed, 2.3, 0.25), "inputs": inputs}
            write_json(put("histories", f"mlp/{name}/seed{seed}/history.json"), found)
        if name == "searched":
            for fold in (0, 1):
                found = history(image, "fashion_mnist", model, 1, 2.3, 0.3)
                found |= {"fold": fold, "inputs": inputs}
                write_json(put("histories", f"mlp/{name}/fold{fold}/history.json"), found)
        write_predictions(put("predictions", f"mlp/{name}/predictions.csv"), 10)
    mix = {"model": "Ensemble of searched and mixer", "inputs": "as its members"}
    mix |= {"ci": None, "parameters": 10_000_000}
    rows = [
        metrics_row(**mix, members="5 folds + 1 seed", values=[0.947]),
        metrics_row(**mix, members="1 fold + 1 fold", split="cv", values=[0.9444]),
    ]
    write_json(put("metrics", "mlp/ensemble/metrics.json"), {"rows": rows, "notes": {}})
    write_json(put("selections", "mlp/selection.json"), selection())
    space = {f"c{k:02d}": {"hidden": [512, 256], "lr": 0.001 * (k + 1)} for k in range(9)}
    for rung, epochs, taken, left in ((0, 3, 9, 3), (1, 9, 3, 1)):
        kept = dict(list(space.items())[-taken:])
        path = put("searches", f"mlp/search/rung{rung}/ranking.json")
        write_json(path, ranking(rung, epochs, kept, left))


def fabricate(run: Path) -> dict[str, list[Path]]:
    """Write a whole run's files under `run`; returns them by the names of REPORT."""
    files: dict[str, list[Path]] = {}

    def put(kind: str, name: str) -> Path:
        files.setdefault(kind, []).append(run / name)
        return run / name

    image = "image_classification"
    fabricate_mlp(run, put)

    cifar = {"dataset": "cifar10", "implementation": "torch"}
    rows = [
        metrics_row(**cifar, model="MLP", values=[0.551, 0.553], ci=(0.543, 0.562)),
        metrics_row(**cifar, model="CNN", values=[0.842, 0.851], ci=(0.838, 0.854)),
        metrics_row(**cifar, model="CNN", views="flips", values=[0.851, 0.86], ci=(0.848, 0.864)),
    ]
    write_json(put("metrics", "vision/cifar10/metrics.json"), {"rows": rows, "notes": {}})
    for model, end in (("MLP", 1.2), ("CNN", 0.4)):
        found = history(image, "cifar10", model, 1, 2.3, end)
        write_json(put("histories", f"vision/cifar10/{model.lower()}/history.json"), found)
        write_predictions(put("predictions", f"vision/cifar10/{model.lower()}/predictions.csv"), 10)
        write_study(put("studies", f"vision/cifar10/{model.lower()}/study.npz"), model)

    text = {"task": "language_modelling", "implementation": "torch", "model": "GPT 4x4x128"}
    text["inputs"] = "tokens"
    for dataset, loss, accepted in (
        ("tinyshakespeare", 1.61, None),
        ("grammar_stories", 0.9, 0.93),
    ):
        given = {**text, "dataset": dataset, "split": "val", "ci": (loss - 0.02, loss + 0.02)}
        rows = [
            metrics_row(**given, metric="nats_per_token", values=[loss]),
            metrics_row(**{**given, "ci": None}, metric="bits_per_byte", values=[loss / 0.6931]),
        ]
        folder = f"gpt/{dataset}"
        notes = {"data": "the floor is 0.1234 bits per byte"} if accepted else {}
        write_json(put("metrics", f"{folder}/metrics.json"), {"rows": rows, "notes": notes})
        found = history("language_modelling", dataset, "GPT 4x4x128", 1, 4.1, loss)
        write_json(put("histories", f"{folder}/history.json"), found)
        story = " there was a little dog. He liked to run in the park.\nThe end."
        write_json(put("samples", f"{folder}/samples.json"), samples(dataset, story, accepted))

    dna = {"task": "dna_classification", "implementation": "torch", "model": "Transformer encoder"}
    dna["inputs"] = "nucleotides"
    tata = {**dna, "dataset": "gue/prom_core_tata"}
    rows = [
        metrics_row(**tata, metric="mcc", values=[77.1, 78.4], ci=(73.2, 81.9)),
        metrics_row(**tata, values=[0.886, 0.891], ci=(0.868, 0.911)),
    ]
    folder = "dna/gue/prom_core_tata"
    write_json(put("metrics", f"{folder}/metrics.json"), {"rows": rows, "notes": {}})
    write_predictions(put("predictions", f"{folder}/predictions.csv"), 2)
    found = history("dna_classification", "gue/prom_core_tata", dna["model"], 1, 0.7, 0.2)
    write_json(put("histories", f"{folder}/history.json"), found)
    write_json(put("curves", f"{folder}/curves.json"), score_curves(dna["model"], 0.9))
    write_json(put("motifs", f"{folder}/motifs.json"), motifs())
    baselines = {
        "rows": [metrics_row(**{**tata, "model": "GC content"}, metric="mcc", values=[9.0])]
    }
    baselines |= {"notes": {}, "curves": [score_curves("GC content", 0.6)]}
    write_json(put("metrics", f"{folder}/baselines.json"), baselines)
    write_csv(
        put("submissions", f"{folder}/submission.csv"), [{"id": 0, "label": 1}], ["id", "label"]
    )

    task = {"task": "translation", "dataset": "genetic_code", "implementation": "torch"}
    task["inputs"] = "nucleotides"
    rows = [metrics_row(**task, model="Transformer", metric="exact_match", values=[0.991])]
    rows[0] |= {"ci_low": 0.987, "ci_high": 0.995}
    write_json(put("metrics", "seq2seq/metrics.json"), {"rows": rows, "notes": {}})
    found = history("translation", "genetic_code", "Transformer", 1, 3.0, 0.02)
    write_json(put("histories", "seq2seq/history.json"), found)
    write_attention(put("attention", "seq2seq/attention.npz"))
    write_positions(put("positions", "seq2seq/positions.npz"))
    write_twins(put("twins", "gpt/tinyshakespeare/numpy/twins.json"))
    return files


def read_rows(path: Path) -> list[dict]:
    with path.open(newline="") as opened:
        return list(csv.DictReader(opened))
