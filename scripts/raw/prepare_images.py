"""Turn an image data set's raw files into arrays (images.npz) and describe them (meta.json).

The official split into training and test images is kept; pictures of one's own are split. By hand:

    python -m raw.prepare_images --spec '{"dataset": "cifar10"}' --raw data/raw/cifar10 \\
        --images data/processed/cifar10/images.npz --meta data/processed/cifar10/meta.json
"""

from pipeline import settings
from raw.images import OUTPUTS, read_cifar10, read_fashion_mnist, read_own, write_images
from raw.raw_files import verify
from raw.settings import PrepareSpec

READERS = {"fashion_mnist": read_fashion_mnist, "cifar10": read_cifar10}


def main() -> None:
    inputs = {"raw": "folder of the data set's raw files"}
    args = settings.arguments(__doc__, PrepareSpec, inputs, OUTPUTS)
    spec = args.spec
    verify([args.raw], spec.dataset, spec.raw)
    read = READERS.get(spec.dataset, read_own)
    write_images(args.images, args.meta, spec.dataset, spec.about, *read(args.raw))


if __name__ == "__main__":
    settings.run(main)
