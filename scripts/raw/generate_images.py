"""Make an image data set that needs no download: bundled digits, or shapes that are drawn here.

They stand in for the real ones in the demo. Split and drawing follow the seed. By hand:

    python -m raw.generate_images --spec '{"dataset": "shapes"}' \\
        --images data/processed/shapes/images.npz --meta data/processed/shapes/meta.json
"""

from typing import Literal

from pydantic import Field

from pipeline import settings
from raw.about import About
from raw.images import write_images
from raw.standin_images import make_digits, make_shapes


class Spec(settings.Settings):
    dataset: Literal["digits", "shapes"] = Field(description="which data set")
    about: About = Field(About(), description="what meta.json says of it, from datasets.yaml")
    seed: int = Field(1, ge=0, description="digits: of the split; shapes: of the drawing")
    test_share: float = Field(0.2, gt=0, lt=1, description="digits: share held out for the test")
    train_images: int = Field(4000, ge=10, description="shapes: images for training")
    test_images: int = Field(1000, ge=10, description="shapes: images for the test")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={},
        outputs={"images": "images.npz: train_x, train_y, test_x, test_y", "meta": "meta.json"},
    )
    spec = args.spec
    if spec.dataset == "digits":
        arrays, classes = make_digits(spec.test_share, spec.seed)
    else:
        arrays, classes = make_shapes(spec.train_images, spec.test_images, spec.seed)
    about = spec.about.model_dump()
    write_images(args.images, args.meta, spec.dataset, about, arrays, classes)


if __name__ == "__main__":
    settings.run(main)
