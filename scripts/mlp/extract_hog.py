"""Compute hand-made features of a data set of grey images: histograms of oriented gradients.

Training images are taken in several views, shifted by a few pixels, so that a training on features
can be augmented as one on pixels is. By hand:

    python -m mlp.extract_hog --spec '{"shift": 1}' \\
        --images data/processed/digits/images.npz --train data/processed/digits/hog/train.npy \\
        --test data/processed/digits/hog/test.npy --meta data/processed/digits/hog/meta.json
"""

import time
from pathlib import Path

import numpy as np
from pydantic import Field

from mlp.feature_file import View
from mlp.hog import Part
from mlp.shifts import shifted
from pipeline import settings
from pipeline.atomic import replacing, write_json
from pipeline.checkpoint import file_sha256
from pipeline.errors import InputError
from raw.prepared import load_arrays

CHUNK = 500  # images at a time


class Spec(settings.Settings):
    dataset: str = Field("", description="name of the data set, for the record")
    parts: list[Part] = Field(
        [Part(cell=4), Part(cell=2)], min_length=1, description="grids of cells, side by side"
    )
    shift: int = Field(1, ge=0, description="largest shift in pixels of the training images' views")


def views(shift: int, mirrored: bool) -> list[View]:
    """No shift, then up to `shift` pixels in the four directions; each mirrored too, if asked."""
    steps = [(0, 0)]
    for size in range(1, shift + 1):
        steps += [(size, 0), (-size, 0), (0, size), (0, -size)]
    return [(*step, turned) for step in steps for turned in ((False, True)[: 1 + mirrored])]


def write_features(path: Path, images: np.ndarray, parts: list[Part], seen: list[View]) -> None:
    """Write uint8 (V, N, D), one chunk after the other: little memory, however many images."""
    width = sum(part.features(images[:1]).shape[1] for part in parts)
    shape = (len(seen), len(images), width)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with replacing(path) as temporary, temporary.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, header)
        for down, right, turned in seen:
            started = time.perf_counter()
            for start in range(0, len(images), CHUNK):
                view = shifted(images[start : start + CHUNK], down, right)
                view = view[:, :, ::-1] if turned else view
                rows = [part.features(view) * np.float32(255 / part.limit) for part in parts]
                out.write(np.rint(np.concatenate(rows, axis=1)).astype(np.uint8).tobytes())
            print(
                f"{path.name}: {len(images)} images shifted by ({down}, {right})"
                f"{', mirrored' if turned else ''}: {time.perf_counter() - started:.1f} s",
                flush=True,
            )


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"images": "images.npz of a prepared data set"},
        outputs={
            "train": "uint8 (views, images, features)",
            "test": "the same of the test part, not shifted",
            "meta": "meta.json: settings, views, sha256",
        },
    )
    spec: Spec = args.spec
    train, test = load_arrays(args.images, "train_x", "test_x")
    for images in (train, test):
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != train.shape[1:]:
            raise InputError(
                f"{args.images}: expected grey images, uint8 (N, H, W), found {images.dtype}"
                f" {images.shape}. Choose another data set."
            )
    height, width = train.shape[1:]
    if spec.shift >= min(height, width):
        raise InputError(f"shift: expected less than the image's side, found {spec.shift}")
    widths = [part.features(train[:1]).shape[1] for part in spec.parts]
    mirrors = [part.mirror(height, width) for part in spec.parts]
    stored = any(mirror is None for mirror in mirrors)
    starts = np.cumsum([0, *widths])
    mirror = None
    if not stored:
        mirror = np.concatenate([m + s for m, s in zip(mirrors, starts, strict=False)]).tolist()
    seen = {"train": views(spec.shift, stored), "test": views(0, stored)}
    write_features(args.train, train, spec.parts, seen["train"])
    write_features(args.test, test, spec.parts, seen["test"])
    write_json(
        args.meta,
        {
            "dataset": spec.dataset,
            "width": int(starts[-1]),
            "parts": [
                {
                    **part.model_dump(),
                    "grid": part.grid(height, width),
                    "width": w,
                    "limit": part.limit,
                }
                for part, w in zip(spec.parts, widths, strict=True)
            ],
            "views": seen,
            "image_shape": [height, width],
            "images": {"train": len(train), "test": len(test)},
            "images_sha256": file_sha256(args.images),
            "sha256": {"train": file_sha256(args.train), "test": file_sha256(args.test)},
            "mirror": mirror,
        },
    )


if __name__ == "__main__":
    settings.run(main)
