"""The check before a prepare program reads raw files: are they still those that were fetched?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import InputError
from pipeline.hashing import file_sha256
from raw.settings import Checksum


def differs(path: Path, expected: Mapping) -> str:
    """How the file `path` differs from `expected` (bytes, sha256); '' if it does not.

    Raises OSError if it cannot be read.
    """
    size = path.stat().st_size
    if size != expected["bytes"]:
        kind = "truncated: " if size < expected["bytes"] else ""
        return f"{kind}expected {expected['bytes']} bytes, found {size}"
    wanted, found = expected["sha256"], file_sha256(path)
    return "" if found == wanted else f"expected sha256 {wanted}, found {found}"


def verify(places: Sequence[Path], dataset: str, expected: Mapping[str, Checksum]) -> None:
    """Check every file of `expected` before any of it is read.

    places: the data set's folder, or its files. expected: <dataset>/<file> -> what it must be;
    empty when a program is called by hand without it.
    Raises InputError that names the file, both sizes or sums, and what to do.
    """
    for name, file in expected.items():
        inside = Path(name.removeprefix(f"{dataset}/"))
        found = [place for place in places if place.parts[-len(inside.parts) :] == inside.parts]
        path = [*found, *(place / inside for place in places if place.is_dir()), inside][0]
        try:
            problem = differs(path, file.model_dump())
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
        if problem:
            wrong = f"{path}: not the file that was fetched: {problem}"
            raise InputError(f"{wrong}. Delete it and run again: the right one is then fetched.")
