"""Make an image data set that needs no download: bundled digits, or shapes that are drawn here.

The demo trains on them instead of the real ones. Split and drawing follow the seed. By hand:

    python -m raw.generate_images --spec '{"dataset": "shapes"}' \\
        --images data/processed/shapes/images.npz --meta data/processed/shapes/meta.json
"""

from pipeline import settings
from raw.images import write_images
from raw.settings import GenerateSpec
from raw.standin_images import make_digits, make_shapes


def main() -> None:
    args = settings.arguments(
        __doc__,
        GenerateSpec,
        inputs={},
        outputs={"images": "images.npz: train_x, train_y, test_x, test_y", "meta": "meta.json"},
    )
    spec = args.spec
    if spec.dataset == "digits":
        arrays, classes = make_digits(spec.test_share, spec.seed)
    else:
        arrays, classes = make_shapes(spec.train_images, spec.test_images, spec.seed)
    write_images(args.images, args.meta, spec.dataset, spec.about, arrays, classes)


if __name__ == "__main__":
    settings.run(main)
