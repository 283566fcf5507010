"""Turn an image data set's raw files into arrays (images.npz) and say what they are (meta.json).

Real data sets keep their official split; stand-ins are drawn or split here, by their seed. By hand:

    python scripts/prepare_images.py --spec '{"dataset": "digits"}' \\
        --images data/processed/digits/images.npz --meta data/processed/digits/meta.json
"""

from typing import Literal

from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.data_hash import arrays_sha256
from pipeline.errors import InputError
from pipeline.images import (
    check_images,
    make_digits,
    make_shapes,
    read_cifar10,
    read_fashion_mnist,
)


class About(settings.Settings):
    title: str = ""
    stand_in: bool = False
    description: str = ""
    licence: str = ""
    citation: str = ""


class Spec(settings.Settings):
    dataset: Literal["fashion_mnist", "cifar10", "digits", "shapes"] = Field(
        description="which data set"
    )
    about: About = Field(About(), description="what meta.json says of it, from datasets.yaml")
    seed: int = Field(1, ge=0, description="digits: of the split; shapes: of the drawing")
    test_share: float = Field(0.2, gt=0, lt=1, description="digits: share held out for the test")
    train_images: int = Field(4000, ge=10, description="shapes: images for training")
    test_images: int = Field(1000, ge=10, description="shapes: images for the test")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"raw?": "folder of the data set's raw files; not for digits and shapes"},
        outputs={"images": "images.npz: train_x, train_y, test_x, test_y", "meta": "meta.json"},
    )
    spec = args.spec
    if spec.dataset == "digits":
        arrays, classes = make_digits(spec.test_share, spec.seed)
    elif spec.dataset == "shapes":
        arrays, classes = make_shapes(spec.train_images, spec.test_images, spec.seed)
    elif args.raw is None:
        raise InputError(f"{spec.dataset}: expected its raw files: give --raw FOLDER")
    else:
        read = {"fashion_mnist": read_fashion_mnist, "cifar10": read_cifar10}[spec.dataset]
        arrays, classes = read(args.raw)
    check_images(arrays, classes, spec.dataset)
    write_npz(args.images, **arrays)
    write_json(
        args.meta,
        {
            "dataset": spec.dataset,
            **spec.about.model_dump(),
            "classes": classes,
            "sizes": {"train": len(arrays["train_x"]), "test": len(arrays["test_x"])},
            "image_shape": list(arrays["train_x"].shape[1:]),
            "data_sha256": arrays_sha256(arrays),
        },
    )
    print(f"{spec.dataset}: " + ", ".join(f"{k} {v.shape}" for k, v in arrays.items()))


if __name__ == "__main__":
    settings.run(main)
