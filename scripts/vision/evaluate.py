"""Evaluate trained image classifiers, one per seed, on the test images: once, at the very end.

Metrics hold the mean over the seeds; predictions, examples and what the report shows of a model's
inside are those of the first seed.
"""

import numpy as np
import torch

from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from pipeline.history import TRAININGS, cost, read_histories
from pipeline.precision import choose_dtype
from pipeline.predictions import write_predictions
from pipeline.results import proportion_interval, row
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.image_data import load_meta, load_part
from torch_nn.image_classifier import probabilities
from vision.model import build, title
from vision.settings import EvaluateSpec
from vision.study import accuracy_by_shift, first_filters

INPUTS = {"images": "images.npz (test_x, test_y are read)", "meta": "its meta.json", **TRAININGS}
OUTPUTS = {
    "metrics": "metrics.json",
    "predictions": "predictions.csv: id, label, prediction, p_0 ...",
    "examples": "examples.npz: a few test images with predictions",
    "study": "study.npz: accuracy by training compute and by shift, filters of the first layer",
}


def main() -> None:
    args = settings.arguments(__doc__, EvaluateSpec, INPUTS, OUTPUTS)
    spec, meta = args.spec, load_meta(args.meta)
    classes, name = meta["classes"], title(spec)
    images, label = load_part(args.images, "test", len(classes))
    histories = read_histories(args.weights, args.histories)
    found = [(history.get("seed"), history.get("dataset")) for history in histories]
    if found != (wanted := [(seed, spec.dataset) for seed in spec.seeds]):
        raise InputError(f"--histories: expected seeds and data sets {wanted}, found {found}")
    device = setup(spec.seeds[0], spec.threads)
    # What was trained in float32, because its processor has no units for bfloat16, is evaluated
    # in float32 on every processor.
    in_float32 = any(history.get("precision") == "float32" for history in histories)
    wanted = "bfloat16" if spec.bfloat16 and not in_float32 else "float32"
    bfloat16 = choose_dtype(wanted, device) is torch.bfloat16
    x = torch.from_numpy(images)  # (N, C, H, W)
    shape = x.shape[1:], len(classes)
    models = [load_weights(path, build(spec, *shape).to(device)) for path in args.weights]
    views = {"none": False, "flips": True} if spec.test_time_flips else {"none": False}
    answers = {
        view: [probabilities(m, x, bfloat16=bfloat16, flips=flips).numpy() for m in models]
        for view, flips in views.items()
    }  # (N, K) of each seed
    about = {"task": "image_classification", "dataset": spec.dataset, "model": name}
    about |= {"inputs": "pixels", "implementation": "torch", "metric": "accuracy"}
    about |= {"data_sha256": meta["data_sha256"], **cost(histories)}
    rows = []
    for view, of_seeds in answers.items():
        hits = np.stack([p.argmax(axis=1) == label for p in of_seeds])  # (seeds, N)
        test, ci = hits.mean(axis=1).tolist(), proportion_interval(hits)
        splits = {"test": (test, ci)}
        if all(history["val_accuracy"] for history in histories):
            val = [history["val_accuracy"][view] for history in histories]
            splits = {"val": (val, None), **splits}
        for split, (values, interval) in splits.items():
            rows.append(row(views=view, split=split, values=values, ci=interval, **about))
            print(f"{name}, views {view}: {split} accuracy {rows[-1]['value']:.4f}")
    notes = {
        "predictions": f"of seed {spec.seeds[0]}, without flips",
        "interval": "Wilson's; of several seeds a bootstrap over images of the seeds' mean",
        "val": "training images that the seed held out; only this program reads the test images",
    }
    if spec.test_time_flips:
        notes["flips"] = "probabilities averaged over each image and its flip"
    write_json(args.metrics, {"rows": rows, "notes": notes})
    first = answers["none"][0]  # (N, K)
    prediction = first.argmax(axis=1)  # (N,)
    write_predictions(args.predictions, label, prediction, first)
    drawn = generator(spec.seeds[0], "examples").permutation(len(images))[: spec.examples]
    write_npz(
        args.examples,
        images=images[drawn].transpose(0, 2, 3, 1),
        label=label[drawn],
        prediction=prediction[drawn],
        classes=np.array(classes),
        title=np.array(f"{meta.get('title', spec.dataset)}: {name}"),
    )
    curve = [(point["train_flops"], point["train_accuracy"]) for point in histories[0]["curve"]]
    some = slice(spec.shifted_images)
    write_npz(
        args.study,
        model=np.array(name),
        parameters=np.array(histories[0]["parameters"]),
        curve=np.array(curve),  # (points, 2): compute so far, accuracy since the last point
        accuracy=np.array((prediction == label).mean()),
        shifted=accuracy_by_shift(models[0], x[some], label[some], bfloat16),
        filters=first_filters(models[0]),
    )


if __name__ == "__main__":
    settings.run(main)
