"""Compute hand-made features of a data set of grey images: histograms of oriented gradients.

Training images are taken in several views, shifted by a few pixels, so that a training on features
can be augmented as one on pixels is.
"""

from math import prod
from pathlib import Path

import numpy as np

from mlp import hog
from mlp.feature_file import View, shifted
from mlp.settings import HogPart, HogSpec
from pipeline import settings
from pipeline.atomic import replacing, write_json
from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from raw.prepared import load_arrays

CHUNK = 500  # images at a time


def views(shift: int, flipped: bool) -> list[View]:
    """No shift, then up to `shift` pixels in the four directions; each flipped too, if asked."""
    steps = [(0, 0)]
    for size in range(1, shift + 1):
        steps += [(size, 0), (-size, 0), (0, size), (0, -size)]
    return [(*step, flip) for step in steps for flip in (False, True)[: 1 + flipped]]


def write_features(path: Path, images: np.ndarray, parts: list[HogPart], seen: list[View]) -> None:
    """Write uint8 (V, N, D), one chunk after the other: little memory, however many images."""
    width = sum(hog.features(part, images[:1]).shape[1] for part in parts)
    shape = (len(seen), len(images), width)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with replacing(path) as temporary, temporary.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, header)
        for down, right, flipped in seen:
            for start in range(0, len(images), CHUNK):
                view = shifted(images[start : start + CHUNK], down, right)
                view = view[:, :, ::-1] if flipped else view
                rows = [hog.features(p, view) * np.float32(255 / hog.limit(p)) for p in parts]
                out.write(np.rint(np.concatenate(rows, axis=1)).astype(np.uint8).tobytes())
            print(f"{path.name}: shifted by ({down}, {right}), flipped: {flipped}", flush=True)


INPUTS = {"images": "images.npz of a prepared data set"}
OUTPUTS = {
    "train": "uint8 (views, images, features)",
    "test": "the same of the test part, not shifted",
    "meta": "meta.json: settings, views, sha256",
}


def main() -> None:
    args = settings.arguments(__doc__, HogSpec, INPUTS, OUTPUTS)
    spec = args.spec
    train, test = load_arrays(args.images, "train_x", "test_x")
    for images in (train, test):
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != train.shape[1:]:
            found = f"{images.dtype} {images.shape}. Choose another data set."
            raise InputError(f"{args.images}: expected grey images, uint8 (N, H, W), found {found}")
    height, width = train.shape[1:]
    if spec.shift >= min(height, width):
        raise InputError(f"shift: expected less than the image's side, found {spec.shift}")
    grids = [hog.grid(part, height, width) for part in spec.parts]
    parts = [
        {**part.model_dump(), "grid": grid, "width": prod(grid), "limit": hog.limit(part)}
        for part, grid in zip(spec.parts, grids, strict=True)
    ]
    *starts, features = np.cumsum([0, *map(prod, grids)]).tolist()
    flips = [hog.flip(part, height, width) for part in spec.parts]
    stored = any(flip is None for flip in flips)
    moved = [] if stored else [f + s for f, s in zip(flips, starts, strict=True)]
    seen = {"train": views(spec.shift, stored), "test": views(0, stored)}
    write_features(args.train, train, spec.parts, seen["train"])
    write_features(args.test, test, spec.parts, seen["test"])
    meta = {
        "dataset": spec.dataset,
        "width": features,
        "parts": parts,
        "views": seen,
        "image_shape": [height, width],
        "images": {"train": len(train), "test": len(test)},
        "images_sha256": file_sha256(args.images),
        "sha256": {"train": file_sha256(args.train), "test": file_sha256(args.test)},
        "flip": None if stored else np.concatenate(moved),
    }
    write_json(args.meta, meta)


if __name__ == "__main__":
    settings.run(main)
