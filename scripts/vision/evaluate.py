"""Evaluate trained image classifiers, one a seed, on the test images: once, at the very end.

Metrics hold the mean over the seeds; predictions and examples are those of the first seed.
"""

import numpy as np
import torch
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_csv, write_json, write_npz
from pipeline.errors import InputError
from pipeline.history import read_histories
from pipeline.precision import use_bfloat16
from pipeline.results import proportion_interval, row
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.image_data import load_meta, load_part
from torch_nn.image_classifier import probabilities
from torch_nn.parameters import parameter_count
from vision.model import Architecture


class Spec(Architecture):
    dataset: str = Field("cifar10", description="name of the data set, for the record")
    seeds: list[int] = Field([1], min_length=1, description="one training each, in this order")
    threads: int = Field(1, ge=1, description="of PyTorch; another number gives other last bits")
    test_time_flips: bool = Field(False, description="a second row: mean with the mirror image")
    examples: int = Field(40, ge=1, description="test images in examples.npz, drawn by the seed")


def check_histories(histories: list[dict], seeds: list[int], dataset: str) -> None:
    """Raises InputError if their seeds are not `seeds`, or one is of another data set."""
    if (found := [history.get("seed") for history in histories]) != seeds:
        raise InputError(f"--histories: expected seeds {seeds}, found {found}: order them alike")
    if strange := {str(history.get("dataset")) for history in histories} - {dataset}:
        raise InputError(f"--histories: expected those of {dataset}, found {sorted(strange)}")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "images": "images.npz (test_x, test_y are read)",
            "meta": "its meta.json",
            "weights*": "model.safetensors of each seed",
            "histories*": "history.json of each seed",
        },
        outputs={
            "metrics": "metrics.json",
            "predictions": "predictions.csv: id,label,prediction,p_0..",
            "examples": "examples.npz: a few test images with predictions",
        },
    )
    spec, meta = args.spec, load_meta(args.meta)
    images, labels = load_part(args.images, "test", len(meta["classes"]))
    histories = read_histories(args.weights, args.histories)
    check_histories(histories, spec.seeds, spec.dataset)
    device = setup(spec.seeds[0], spec.threads)
    # Trained in float32 for want of units: evaluated so too, wherever.
    in_float32 = any(history.get("precision") == "float32" for history in histories)
    bfloat16 = use_bfloat16(spec.bfloat16 and not in_float32, device)

    found: dict[bool, list[np.ndarray]] = {False: [], True: []}  # flips? -> (N, K) a seed
    for path in args.weights:
        model = spec.build(images.shape[1:], len(meta["classes"])).to(device)
        load_weights(path, model)
        for flips in [False, True] if spec.test_time_flips else [False]:
            p = probabilities(model, torch.from_numpy(images), bfloat16=bfloat16, flips=flips)
            found[flips].append(p.numpy())

    rows = []
    for flips in [False, True] if spec.test_time_flips else [False]:
        hits = np.stack([p.argmax(1) == labels for p in found[flips]])  # (seeds, N)
        validation = [h["validation"]["accuracy_flips" if flips else "accuracy"] for h in histories]
        common = {
            "task": "image_classification",
            "dataset": spec.dataset,
            "model": spec.title() + (" + flips" if flips else ""),
            "implementation": "torch",
            "metric": "accuracy",
            "parameters": parameter_count(model),
            "train_seconds": float(np.mean([history["seconds"] for history in histories])),
            "provenance": histories[0]["provenance"],
            "data_sha256": meta["data_sha256"],
        }
        test = hits.mean(axis=1).tolist()
        rows.append(row(split="val", values=validation, ci=None, **common))
        ci = proportion_interval(hits)
        rows.append(row(split="test", values=test, ci=ci, **common))
        print(f"{common['model']}: test accuracy {np.mean(test):.4f}, 95 % interval {ci}")

    first = found[False][0]  # (N, K)
    columns = ["id", "label", "prediction", *(f"p_{k}" for k in range(first.shape[1]))]
    write_csv(
        args.predictions,
        (
            dict(zip(columns, [i, y, p.argmax(), *(f"{value:.6f}" for value in p)], strict=True))
            for i, (y, p) in enumerate(zip(labels.tolist(), first, strict=True))
        ),
        columns,
    )
    drawn = generator(spec.seeds[0], "examples").permutation(len(images))[: spec.examples]
    write_npz(
        args.examples,
        images=images[drawn].transpose(0, 2, 3, 1),
        label=labels[drawn],
        prediction=first[drawn].argmax(1),
        classes=np.array(meta["classes"]),
        title=np.array(f"{meta.get('title', spec.dataset)}: {spec.title()}"),
    )
    write_json(args.metrics, {
        "rows": rows,
        "notes": {
            "predictions": f"of seed {spec.seeds[0]}, without test-time flips",
            "interval": "Wilson's; of several seeds bootstrap over images, of the seeds' mean",
            "validation": "training images that the seed held out; test images are read here alone",
            **({"flips": "probabilities averaged over each image and its mirror image"}
               if spec.test_time_flips else {}),
        },
    })  # fmt: skip


if __name__ == "__main__":
    settings.run(main)
