"""What the page shows of each room: a model's arrays, its shape, what there is to begin with.

A function for each room takes a model and returns what the page's JavaScript reads. It raises
UnknownForm, which says why, for a model that the JavaScript cannot compute.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_nn.activations import GELU, ReLU
from numpy_nn.dropout import Dropout
from numpy_nn.linear import Linear
from numpy_nn.normalisation import BatchNorm, LayerNorm
from numpy_nn.standardise import Standardise
from numpy_nn.stored_model import model_from_state
from play.arrays import PRECISIONS, as_text, packed_all
from play.examples import examples
from reporting.formats import counted, weights
from reporting.leaderboard import METRICS, SPLITS, number, ordinary, read_metrics
from reporting.reference_models import content
from seq2seq import genetic_code


class UnknownForm(Exception):
    """A model that the page's JavaScript does not compute."""


class Source(NamedTuple):
    """A trained model: what it is called (its folder), the file of its weights, and
    the folder of its metrics.json."""

    name: str
    weights: Path
    results: Path


class Model(NamedTuple):
    """What a file of weights holds, and where it comes from."""

    source: Source
    state: dict[str, np.ndarray]
    about: dict[str, Any]


def without(state: Mapping[str, np.ndarray], name: str, same: str) -> dict[str, np.ndarray]:
    """The arrays without `name` if it is `same` once more: a tied matrix is stored twice."""
    tied = name in state and np.array_equal(state[name], state[same])
    return {key: array for key, array in state.items() if not (tied and key == name)}


def translation(model: Model, processed: Path) -> dict[str, Any]:
    """The encoder-decoder, and the genetic code that it is compared with."""
    state = without(model.state, "output_projection.weight", "target_embedding.weight")
    return {
        "precision": "float16",
        "arrays": packed_all(state, "float16"),
        "code": genetic_code.CODE,
        "nucleotides": genetic_code.NUCLEOTIDES,
        "acids": genetic_code.AMINO_ACIDS,
        "start": genetic_code.TARGET_START,
        "end": genetic_code.TARGET_END,
    }


def classifier(model: Model, processed: Path) -> dict[str, Any]:
    """A classifier of DNA, and test sequences of each class: maybe none of some, or of any."""
    shape, classes = model.about["model"], model.about["classes"]
    if shape["tokens"] != "nucleotides":
        raise UnknownForm(f"it reads {shape['tokens']}")
    found = examples(model.source.weights.parent, model.about, processed)
    x, y = found or (np.zeros((0, 0), np.uint8), np.zeros(0))
    texts = ["".join("ACGTN"[token] for token in row if token < 5) for row in x]
    return {
        "precision": "float16",
        "arrays": packed_all(model.state, "float16"),
        "examples": [
            [text for text, label in zip(texts, y, strict=True) if label == number]
            for number in range(len(classes))
        ],
    }


def stories(model: Model, processed: Path) -> dict[str, Any]:
    """A language model and its tokenizer."""
    tokenizer = model.about.pop("tokenizer")
    if tokenizer.get("kind") != "characters":
        pieces, added = tokenizer["model"], tokenizer["added_tokens"]
        tokenizer = {
            "kind": "byte pairs",
            "vocabulary": sorted(pieces["vocab"], key=pieces["vocab"].get),
            "merges": pieces["merges"],
            "separator": added[0]["id"] if added else None,
        }
        begins = bool(added)
    else:
        begins = tokenizer["separator"]
    state = without(model.state, "output_projection.weight", "embedding.weight")
    return {
        "precision": "int8",
        "arrays": packed_all(state, "int8"),
        "tokenizer": tokenizer,
        "stories": begins,
    }


def net_layers(state: Mapping[str, np.ndarray]) -> tuple[list[dict], dict[str, np.ndarray]]:
    """(kind and name of each layer, their arrays) of a net of NumPy, as mlp.js computes it.

    Matrices are (outputs, inputs), as PyTorch has them. Raises UnknownForm if it is no MLP.
    """
    layers: list[dict] = []
    arrays: dict[str, np.ndarray] = {}
    for place, layer in enumerate(model_from_state(state).layers):
        name = f"layers.{place}"
        if isinstance(layer, Standardise):
            mean, deviation = layer.moments
            kind, own = "affine", {"factor": 1 / deviation, "summand": -mean / deviation}
        elif isinstance(layer, BatchNorm):
            factor = layer.gain.value / np.sqrt(layer.running_var + layer.eps)
            summand = layer.shift.value - layer.running_mean * factor
            kind, own = "affine", {"factor": factor, "summand": summand}
        elif isinstance(layer, LayerNorm):
            kind, own = "layer", {"weight": layer.gain.value, "bias": layer.shift.value}
        elif isinstance(layer, Linear):
            kind, own = "linear", {"weight": layer.weight.value.T, "bias": layer.bias.value}
        elif isinstance(layer, ReLU | GELU):
            kind, own = type(layer).__name__.lower(), {}
        elif isinstance(layer, Dropout):
            continue
        else:
            raise UnknownForm(f"it has a layer {type(layer).__name__}")
        layers.append({"kind": kind, "name": name})
        arrays |= {f"{name}.{key}": np.asarray(value, np.float32) for key, value in own.items()}
    return layers, arrays


def images(model: Model, processed: Path) -> dict[str, Any]:
    """A fully connected net on grey pixels, and test images, if there are some."""
    about = model.about
    if about["inputs"] != "pixels" or about["image_shape"][0] != 1:
        raise UnknownForm(f"it reads {about['inputs']} of shape {about['image_shape']}")
    layers, arrays = net_layers(model.state)
    found = examples(model.source.weights.parent, about, processed)
    pictures, labels = found or (np.zeros(0), np.zeros(0))
    return {
        "precision": "float16",
        "arrays": packed_all(arrays, "float16"),
        "layers": layers,
        "pictures": as_text(pictures, "uint8"),
        "labels": labels.tolist(),
    }


# In the order of the page.
ROOMS: dict[str, Callable[[Model, Path], dict[str, Any]]] = {
    "seq2seq": translation,
    "dna": classifier,
    "gpt": stories,
    "mlp": images,
}


def rank(model: Model) -> int:
    """0 for what an exhibit is about, else 1: a text of stories; sequences that are aligned to a
    site, such as promoters, where each letter has its place."""
    about = model.about
    stories = about["room"] != "gpt" or "stor" in about["dataset"]
    aligned = about["room"] != "dna" or about["model"]["pooling"] == "flatten"
    return int(not (stories and aligned))


def facts(model: Model, found: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, str]:
    """What the page says of a model: size, precision, data, scores by the run's metrics.json."""
    path = model.source.results / "metrics.json"
    rows = [row for row in read_metrics(path) if ordinary(row)] if path.exists() else []
    told: dict[str, str] = {}
    if rows:
        told |= {"model": rows[0]["model"], "weights": weights(rows[0]["parameters"])}
    told["in this page"] = PRECISIONS[found["precision"]]
    if dataset := model.about.get("dataset", rows[0]["dataset"] if rows else None):
        told["trained on"] = titles.get(dataset, model.about.get("title", dataset))
    splits = [name for name in SPLITS if any(row["split"] == name for row in rows)]
    for row in rows:
        metric = METRICS[row["metric"]]
        if row["split"] in splits[:1] and metric.drawn:
            seeds = f", mean of {counted(row['n_seeds'], 'seed')}" if row["n_seeds"] > 1 else ""
            title = f"{metric.title}, {SPLITS[row['split']]}"
            told[title] = number(row["metric"], row["value"]) + seeds
    return told


def exhibits(
    sources: Sequence[Source], processed: Path, titles: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Room -> exhibit: of each room the first model, by rank, that the page can compute.

    What it cannot compute is reported in one line.

    processed: the folder of the prepared data sets; titles: of data sets by name.
    """
    held: dict[str, list[Model]] = {room: [] for room in ROOMS}
    for source in sources:
        state, about = content(source.weights.parent)
        model = Model(source, state, json.loads(about))
        if model.about["room"] in held:
            held[model.about["room"]].append(model)
    found: dict[str, dict[str, Any]] = {}
    for room, models in held.items():
        for model in sorted(models, key=rank):
            if room in found:
                break
            try:
                exhibit = ROOMS[room](model, processed)
            except UnknownForm as reason:
                print(f"{model.source.name}: left out: {reason}", file=sys.stderr)
                continue
            found[room] = {
                "about": model.about,
                "facts": facts(model, exhibit, titles),
                **exhibit,
            }
    return found
