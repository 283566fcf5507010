"""Turn an image data set's raw files into arrays (images.npz) and describe them (meta.json).

The official split into training and test images is kept. By hand:

    python -m raw.prepare_images --spec '{"dataset": "cifar10"}' --raw data/raw/cifar10 \\
        --images data/processed/cifar10/images.npz --meta data/processed/cifar10/meta.json
"""

from typing import Literal

from pydantic import Field

from pipeline import settings
from raw.about import About
from raw.images import read_cifar10, read_fashion_mnist, write_images
from raw.raw_files import RawFile, verify

READERS = {"fashion_mnist": read_fashion_mnist, "cifar10": read_cifar10}


class Spec(settings.Settings):
    dataset: Literal["fashion_mnist", "cifar10"] = Field(description="which data set")
    raw: dict[str, RawFile] = Field({}, description="what each raw file must be; empty: unchecked")
    about: About = Field(About(), description="what meta.json says of it, from datasets.yaml")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"raw": "folder of the data set's raw files"},
        outputs={"images": "images.npz: train_x, train_y, test_x, test_y", "meta": "meta.json"},
    )
    verify([args.raw], args.spec.dataset, args.spec.raw)
    arrays, classes = READERS[args.spec.dataset](args.raw)
    about = args.spec.about.model_dump()
    write_images(args.images, args.meta, args.spec.dataset, about, arrays, classes)


if __name__ == "__main__":
    settings.run(main)
