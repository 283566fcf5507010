"""Make an image data set that needs no download: bundled digits, or shapes that are drawn here.

The demo trains on them instead of the real ones. Split and drawing follow the seed. By hand:

    python -m raw.generate_images --spec '{"dataset": "shapes"}' \\
        --images data/processed/shapes/images.npz --meta data/processed/shapes/meta.json
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from pipeline import settings
from pipeline.seeds import generator
from raw.images import OUTPUTS, Arrays, write_images
from raw.settings import GenerateSpec
from raw.shapes import CLASSES, draw_shapes


def make_digits(test_share: float, seed: int) -> tuple[Arrays, list[str]]:
    """scikit-learn's 1,797 digits of 8x8 pixels, values 0..16 spread over 0..255.

    They have no official split: a stratified share of them becomes the test set.
    """
    bundled = load_digits()
    x, y = np.rint(bundled.images * (255 / 16)).astype(np.uint8), bundled.target.astype(np.int64)
    train, test = train_test_split(
        np.arange(len(x)), test_size=test_share, random_state=seed, stratify=bundled.target
    )
    train, test = np.sort(train), np.sort(test)
    arrays = {"train_x": x[train], "train_y": y[train], "test_x": x[test], "test_y": y[test]}
    return arrays, [str(digit) for digit in range(10)]


def make_shapes(train_images: int, test_images: int, seed: int) -> tuple[Arrays, list[str]]:
    """Generated pictures of ten shapes, as many of each class as of any other, in random order."""
    arrays = {}
    for split, count in (("train", train_images), ("test", test_images)):
        random = generator(seed, "shapes", split)
        labels = random.permutation(np.arange(count) % len(CLASSES)).astype(np.int64)
        arrays[f"{split}_x"], arrays[f"{split}_y"] = draw_shapes(labels, random), labels
    return arrays, list(CLASSES)


def main() -> None:
    args = settings.arguments(__doc__, GenerateSpec, inputs={}, outputs=OUTPUTS)
    spec = args.spec
    if spec.dataset == "digits":
        made = make_digits(spec.test_share, spec.seed)
    else:
        made = make_shapes(spec.train_images, spec.test_images, spec.seed)
    write_images(args.images, args.meta, spec.dataset, spec.about, *made)


if __name__ == "__main__":
    settings.run(main)
