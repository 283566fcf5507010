"""Fetch the raw files of one data set and verify every checksum.

Tries the mirror in DATA_MIRROR (a directory, or a file://, http:// or https:// prefix, laid out as
<dataset>/<file>), then each url of config/datasets.yaml. A file is right if its size and sha256 are
the expected ones, no matter where it came from; files that are there and right are kept. New ones
are collected in `<raw>/<dataset>/.incoming` and renamed into place once all are right: Snakemake
deletes the outputs of a job that fails, so one bad url would take the other files with it. By hand:

    python -m raw.fetch_dataset --spec '{"dataset": "fashion_mnist"}' \\
        --datasets config/datasets.yaml --out data/raw
"""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import yaml

from pipeline import settings
from pipeline.atomic import replacing
from pipeline.errors import InputError
from raw.archive import extract_members
from raw.download import Downloader
from raw.raw_files import differs
from raw.settings import FetchSpec

WITHOUT_MIRROR = (
    "What to do: set DATA_MIRROR to a directory or URL prefix that holds the raw files as"
    " <dataset>/<file>, or run the demo, which needs no download (PRESET=demo)."
)
WITH_MIRROR = (
    "What to do: put the right files into DATA_MIRROR={mirror}, laid out as <dataset>/<file>, or"
    " unset it where there is a network, or run the demo, which needs no download (PRESET=demo)."
)


class Fetcher:
    """Brings the raw files of one data set under the folder `raw`.

    entry: the data set's entry in config/datasets.yaml. mirror: a directory, or a file://, http://
    or https:// prefix, in the layout <dataset>/<file>; None or '' for none.
    """

    def __init__(
        self,
        dataset: str,
        entry: Mapping,
        raw: Path,
        mirror: str | None = None,
        downloader: Downloader | None = None,
    ):
        self.dataset, self.entry, self.raw, self.mirror = dataset, entry, raw, mirror
        self.downloader = downloader or Downloader()
        self.incoming = raw / dataset / ".incoming"
        self.verified = self.incoming / "verified"

    def fetch(self) -> None:
        """Fetch every file that is not there yet.

        Raises InputError that names the file, what was expected, every place that was tried, why it
        did not give the file, and what to do. Then no half-written file is left; those that were
        verified stay in `.incoming` for the next call.
        """
        try:
            missing = [f for f in self.entry["files"] if not _is(self.raw / f["path"], f)]
            wanted = [f for f in missing if not _is(self.verified / f["path"], f)]
            for file in wanted:
                if "archive" not in file:
                    self._obtain(file["path"], file, self.verified / file["path"], [])
            for name in dict.fromkeys(f["archive"] for f in wanted if "archive" in f):
                self._obtain_members(name, [f for f in wanted if f.get("archive") == name])
            for file in missing:
                _move(self.verified / file["path"], self.raw / file["path"])
            shutil.rmtree(self.incoming, ignore_errors=True)
        except (InputError, OSError) as error:
            self._clean()
            raise (self._cannot_write(error) if isinstance(error, OSError) else error) from None
        # A program that is killed or interrupted cleans nothing: the next one resumes.

    def _clean(self) -> None:
        """Remove all but verified files from `.incoming`; the folder too if there are none."""
        if not any(path.is_file() for path in self.verified.rglob("*")):
            shutil.rmtree(self.incoming, ignore_errors=True)
            return
        for path in self.incoming.iterdir():
            if path.is_file():
                path.unlink()

    def _cannot_write(self, error: OSError) -> InputError:
        what = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            need = sum(file["bytes"] for file in self.entry["files"])
            what = f"no space left on the disk ({what}): {self.dataset} needs {need} bytes"
            what += ", and its archive beside them" if "archives" in self.entry else ""
        return InputError(
            f"{error.filename or self.raw}: cannot be written: {what}. Make room or make it"
            " writable, then run again."
        )

    def _obtain(self, path: str, expected: Mapping, target: Path, tried: list[str]) -> None:
        """Put the file `path`, <dataset>/<file>, at `target`, from the first place that has it."""
        places = [*self._mirrored(path), *expected["urls"]]
        if any(self._from(place, expected, target, tried) for place in places):
            return
        advice = WITH_MIRROR.format(mirror=self.mirror) if self.mirror else WITHOUT_MIRROR
        raise InputError(
            f"{path}: expected {expected['bytes']} bytes, sha256 {expected['sha256']};"
            " found at none of these places:\n" + "\n".join([*(f"  {t}" for t in tried), advice])
        )

    def _obtain_members(self, name: str, files: list[Mapping]) -> None:
        """Get members of the archive `name`: from the mirror, or else out of the archive."""
        tried: list[str] = []
        missing: list[tuple[Mapping, Path]] = []
        for file in files:
            places, target = self._mirrored(file["path"]), self.verified / file["path"]
            if not any(self._from(place, file, target, tried) for place in places):
                missing.append((file, self.incoming / f"member{len(missing)}"))
        if not missing:
            return
        archive = self.incoming / name
        self._obtain(f"{self.dataset}/{name}", self.entry["archives"][name], archive, tried)
        extract_members(archive, {f["member"]: (at, f["bytes"]) for f, at in missing})
        for file, at in missing:
            if problem := differs(at, file):
                raise InputError(f"{file['path']}: in the archive {name}: {problem}")
            _move(at, self.verified / file["path"])

    def _from(self, place: str, expected: Mapping, target: Path, tried: list[str]) -> bool:
        """Whether `place` gave the file; if not, a line that says why is added to `tried`."""
        incoming = self.incoming / target.name
        self.incoming.mkdir(parents=True, exist_ok=True)
        try:
            if place.startswith(("http://", "https://")):
                self.downloader.fetch(place, incoming, expected["bytes"], expected["sha256"])
            else:
                _copy(Path(place), expected, incoming)
            _move(incoming, target)
        except InputError as error:
            tried.append(f"{place}: {error}")
            return False
        if tried:
            print(*(f"note: {line}" for line in tried), f"{place}: taken", sep="\n", flush=True)
        return True

    def _mirrored(self, path: str) -> list[str]:
        """Where the mirror would have `path`; empty if there is no mirror."""
        if not self.mirror:
            return []
        scheme = urlsplit(self.mirror).scheme if "://" in self.mirror else ""
        if scheme in ("http", "https"):
            return [f"{self.mirror.rstrip('/')}/{quote(path)}"]
        if scheme not in ("", "file"):
            wanted = "a directory or a file://, http:// or https:// prefix"
            raise InputError(f"DATA_MIRROR={self.mirror}: expected {wanted}, found {scheme}://")
        folder = url2pathname(urlsplit(self.mirror).path) if scheme else self.mirror
        return [str(Path(folder, path))]


def _is(path: Path, expected: Mapping) -> bool:
    """Whether `path` is the expected file already."""
    return path.is_file() and not differs(path, expected)


def _move(source: Path, target: Path) -> None:
    """Rename a finished file into place, on the same disk, once its bytes are written to it."""
    with replacing(target) as temporary:
        source.replace(temporary)


def _copy(source: Path, expected: Mapping, target: Path) -> None:
    """Copy from a mirror on this machine. Raises InputError if it lacks the file or has another."""
    try:
        if not source.is_file():
            raise InputError("no such file" if source.parent.is_dir() else "no such folder")
        if problem := differs(source, expected):
            raise InputError(problem)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from None
    shutil.copyfile(source, target)
    if problem := differs(target, expected):
        raise InputError(f"changed while it was copied: {problem}")


def read_entry(table: Path, spec: FetchSpec) -> dict:
    """The table's entry of the data set. Raises InputError if there is none to fetch."""
    try:
        entry = yaml.safe_load(table.read_text(encoding="utf-8"))[spec.dataset]
    except (yaml.YAMLError, TypeError, KeyError, OSError):
        raise InputError(f"{table}: no data set {spec.dataset!r}") from None
    if not entry.get("files"):
        raise InputError(f"{table}: {spec.dataset} has no files: it is {entry.get('kind')}")
    listed = {file["path"]: file["sha256"] for file in entry["files"]}
    if spec.sha256 and spec.sha256 != listed:
        raise InputError(f"{table}: checksums of {spec.dataset} are not those that --spec expects")
    return entry


def main() -> None:
    inputs = {"datasets": "table of data sets, config/datasets.yaml"}
    outputs = {"out": "folder of the raw files, data/raw"}
    args = settings.arguments(__doc__, FetchSpec, inputs, outputs)
    entry = read_entry(args.datasets, args.spec)
    Fetcher(args.spec.dataset, entry, args.out, os.environ.get("DATA_MIRROR")).fetch()
    print(f"{args.spec.dataset}: {len(entry['files'])} files, every sha256 as expected")


if __name__ == "__main__":
    settings.run(main)
