"""Say what is on pictures: a trained image classifier, used from its file of weights alone.

    python -m vision.predict --weights results/own-cats/vision/fast_cnn/seed1/model.safetensors \\
        --pictures folder --out predictions.csv

The CSV has a row for each PNG or JPEG: its path, the class, and the probability of each.
"""

import numpy as np
import torch

from pipeline import settings
from pipeline.atomic import write_csv
from pipeline.errors import InputError
from pipeline.torch_setup import setup
from pipeline.weights import load_weights, read_metadata
from torch_nn.image_classifier import probabilities
from vision.model import build
from vision.own_images import SIDE, pictures_below, read_picture
from vision.settings import PredictSpec, Stored

INPUTS = {
    "weights": "model.safetensors of vision.train",
    "pictures": "a PNG or JPEG, or a folder of them",
}
OUTPUTS = {"out": "predictions.csv"}


def main() -> None:
    args = settings.arguments(__doc__, PredictSpec, INPUTS, OUTPUTS)
    about = read_metadata(args.weights, Stored)
    if about.image_shape != [3, SIDE, SIDE]:
        wanted = f"a model of {SIDE}x{SIDE} pixels in colour"
        raise InputError(f"{args.weights}: expected {wanted}, found {about.image_shape}")
    paths = pictures_below(args.pictures) if args.pictures.is_dir() else [args.pictures]
    if not paths:
        raise InputError(f"{args.pictures}: expected PNG or JPEG pictures, found none")
    device = setup(0, args.spec.threads)
    model = build(about, about.image_shape, len(about.classes)).to(device)
    load_weights(args.weights, model)
    x = np.stack([read_picture(path) for path in paths]).transpose(0, 3, 1, 2)  # (N, C, H, W)
    found = probabilities(model, torch.from_numpy(x), bfloat16=False, flips=args.spec.flips)
    rows = [
        {"picture": path, "class": about.classes[p.argmax()]}
        | {name: f"{share:.6f}" for name, share in zip(about.classes, p.tolist(), strict=True)}
        for path, p in zip(paths, found, strict=True)
    ]
    write_csv(args.out, rows, ["picture", "class", *about.classes])
    print(f"{len(rows)} pictures -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
