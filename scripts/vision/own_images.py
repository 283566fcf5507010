"""Pictures of one's own, a folder for each class, made one raw file: every picture checked."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipeline.atomic import write_npz
from pipeline.errors import InputError

SIDE = 32
ENDINGS = (".png", ".jpg", ".jpeg")
LEAST = 10  # different pictures of a class: some train, some validate, some test
# Images that a training sees at least: small sets are passed over more often.
SEEN = 60_000


def read_picture(path: Path, side: int = SIDE) -> np.ndarray:
    """A PNG or JPEG as uint8 (side, side, 3): its middle square, resized.

    It is turned as its EXIF entry says; what is transparent becomes white, grey becomes colour.
    Raises InputError if the file cannot be read.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to 8
                picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            square = ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.BICUBIC)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: expected a PNG or JPEG picture: {error}") from None
    return np.asarray(square)


def pictures_below(folder: Path) -> list[Path]:
    """All PNG and JPEG files in a folder and its folders, in order; hidden ones are none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    )


def read_classes(data: Path) -> dict[str, list[Path]]:
    """Class -> its pictures: those below each folder in `data`, as in torchvision's ImageFolder.

    Raises InputError if there are no two classes.
    """
    if not data.is_dir():
        found = "a file" if data.exists() else "nothing there"
        raise InputError(f"{data}: expected a folder with a folder for each class, found {found}")
    folders = sorted(f for f in data.iterdir() if f.is_dir() and not f.name.startswith("."))
    if len(folders) < 2:
        found = f"only {folders[0].name!r}" if folders else "none"
        raise InputError(
            f"{data}: expected a folder for each of two classes or more, found {found}"
        )
    return {folder.name: pictures_below(folder) for folder in folders}


def collect(data: Path, target: Path) -> tuple[str, dict]:
    """Write the pictures of `data` to `target`, and say what they are.

    A picture that is there again in its class is left out, since one in training would tell the
    answer to the other in the test. Returns a description and the settings that fit as many.
    Raises InputError for a picture in two classes, or a class with fewer than LEAST.
    """
    places: dict[bytes, Path] = {}  # pixels -> the first picture that has them
    images, labels, repeated = [], [], 0
    classes = read_classes(data)
    for label, (name, paths) in enumerate(classes.items()):
        before = len(images)
        for path in paths:
            picture = read_picture(path)
            first = places.setdefault(picture.tobytes(), path)
            if data / name not in first.parents:
                raise InputError(f"{path}: the same picture as {first}, which is of another class")
            if first != path:
                repeated += 1
                continue
            images.append(picture)
            labels.append(label)
        if (count := len(images) - before) < LEAST:
            wanted = f"at least {LEAST} different PNG or JPEG pictures"
            raise InputError(f"{data / name}: expected {wanted}, found {count}")
    x, y = np.stack(images), np.array(labels, np.int64)
    write_npz(target, images=x, labels=y, classes=np.array(list(classes)))
    told = f"{len(x):,} pictures of {len(classes)} classes, {SIDE}x{SIDE} pixels"
    told += f" ({repeated} repeated ones left out)" if repeated else ""
    training = int(0.72 * len(x))  # a fifth of all is for the test, a tenth of the rest validates
    small = {"epochs": min(300, -(-SEEN // training)), "batch_size": min(50, training // 2)}
    small["bias_lr"] = 2.6
    changes = {"models": ["fast_cnn"], "validation_size": max(len(classes), len(x) * 8 // 100)}
    return told, changes | ({"fast_cnn": small} if training < SEEN // 8 else {})
