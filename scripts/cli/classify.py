"""`nn classify RUN picture.png`: what an image classifier sees on pictures."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cli.catalogue import Model, fitting, room_of
from cli.tables import show_json
from pipeline.errors import InputError
from pipeline.read_json import read_json
from vision.own_images import read_picture

SHOWN = 3  # classes of a picture, the likeliest ones


def reads_pixels(model: Model) -> bool:
    """Whether a net needs no hand-made features, which come from a file of their own."""
    history = model.path.with_name("history.json")
    return not history.exists() or read_json(history, []).get("inputs", "pixels") == "pixels"


def read_pictures(paths: Sequence[Path], shape: Sequence[int], invert: bool) -> np.ndarray:
    """PNG or JPEG files as uint8 images (N, C, H, W) of the shape (C, H, W) that a model reads."""
    channels, height, width = shape
    if height != width:
        raise InputError(f"expected a model of square images, found {height}x{width}")
    images = np.stack([read_picture(path, height) for path in paths])  # (N, H, W, 3)
    if channels == 1:
        images = np.stack([np.asarray(Image.fromarray(i).convert("L")) for i in images])[..., None]
    images = 255 - images if invert else images
    return images.transpose(0, 3, 1, 2)


def answers(model: Model, paths: Sequence[Path], invert: bool) -> tuple[np.ndarray, list[str], str]:
    """(probabilities (N, K) of the pictures, the names of the classes, the model's title)."""
    if room_of(model.path) == "mlp":
        from mlp.inputs import Inputs
        from mlp.stored_model import load
        from mlp.views import probabilities

        net, about = load(model.path)
        images = read_pictures(paths, about.image_shape, invert)
        return probabilities(net, Inputs(images)), about.classes, about.title
    import torch

    from torch_nn import image_classifier
    from vision.model import title
    from vision.stored_model import load as load_torch

    classifier, stored = load_torch(model.path)
    x = torch.from_numpy(read_pictures(paths, stored.image_shape, invert))
    found = image_classifier.probabilities(classifier, x, bfloat16=False)
    return found.numpy(), stored.classes, title(stored)


def main(run: str, paths: Sequence[Path], name: str | None, invert: bool, as_json: bool) -> None:
    """Print the likeliest classes of each picture; as JSON, all of them."""
    found = fitting(run, ["mlp", "vision"], name)
    usable = [model for model in found if reads_pixels(model)]
    if not usable:
        kinds = ", ".join(dict.fromkeys(model.name.rpartition("/")[0] for model in found))
        raise InputError(f"{kinds}: expected a net of pixels, found one of hand-made features")
    p, classes, title = answers(usable[0], paths, invert)
    rows = [dict(zip(classes, of.tolist(), strict=True)) for of in p]
    if as_json:
        show_json([{"picture": str(path), "p": row} for path, row in zip(paths, rows, strict=True)])
        return
    print(f"{usable[0].name}: {title}", file=sys.stderr)
    for path, row in zip(paths, rows, strict=True):
        likeliest = sorted(row, key=lambda name: -row[name])[:SHOWN]
        print(f"{path}: " + ", ".join(f"{name} {row[name]:.3f}" for name in likeliest))
