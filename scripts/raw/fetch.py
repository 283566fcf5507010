"""Fetch and verify a data set's raw files: from a mirror, else from the first url that works.

A file is right if its size and sha256 are the expected ones, no matter where it came from. Files
are collected in `<raw>/<dataset>/.incoming` and renamed into place once all are right: Snakemake
deletes the outputs of a job that fails, so one bad url would take the other files with it.
"""

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from pipeline.atomic import replacing
from pipeline.errors import InputError
from raw.archive import extract_members
from raw.download import Downloader
from raw.raw_files import differs

HELP = (
    "What to do: set DATA_MIRROR to a directory or URL prefix that holds the raw files as"
    " <dataset>/<file>, or run the demo, which needs no download (PRESET=demo)."
)


def is_there(path: Path, expected: Mapping) -> bool:
    """Whether `path` is the expected file already."""
    return path.is_file() and not differs(path, expected)


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
        self.dataset, self.entry, self.raw = dataset, entry, raw
        self.mirror = mirror
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
            missing = [f for f in self.entry["files"] if not is_there(self.raw / f["path"], f)]
            wanted = [f for f in missing if not is_there(self.verified / f["path"], f)]
            for file in wanted:
                if "archive" not in file:
                    self._obtain(file["path"], file, self.verified / file["path"], [])
            for name in dict.fromkeys(f["archive"] for f in wanted if "archive" in f):
                self._obtain_members(name, [f for f in wanted if f.get("archive") == name])
            for file in missing:
                _move(self.verified / file["path"], self.raw / file["path"])
            shutil.rmtree(self.incoming, ignore_errors=True)
        except OSError as error:
            self._clean()
            raise InputError(self._disk(error)) from None
        except InputError:
            self._clean()
            raise
        # A program that is killed or interrupted cleans nothing: the next one resumes.

    def _clean(self) -> None:
        """Remove all but verified files from `.incoming`; the folder too if there are none."""
        if any(path.is_file() for path in self.verified.rglob("*")):
            for path in self.incoming.iterdir():
                if path.is_file():
                    path.unlink()
        else:
            shutil.rmtree(self.incoming, ignore_errors=True)

    def _obtain(self, path: str, expected: Mapping, target: Path, tried: list[str]) -> None:
        """Put the file `path`, <dataset>/<file>, at `target`, from the first place that has it."""
        for place in [*self._mirrored(path), *expected["urls"]]:
            if self._from(place, expected, target, tried):
                return
        lines = "".join(f"  {line}\n" for line in tried)
        raise InputError(
            f"{path}: expected {expected['bytes']} bytes, sha256 {expected['sha256']};"
            f" found at none of these places:\n{lines}{self._advice()}"
        )

    def _advice(self) -> str:
        """What to do about the mirror that is set, or how to set one."""
        if not self.mirror:
            return HELP
        return (
            f"What to do: put the right files into DATA_MIRROR={self.mirror}, laid out as"
            " <dataset>/<file> (the places above say what is wrong with each), or unset it where"
            " there is a network, or run the demo, which needs no download (PRESET=demo)."
        )

    def _obtain_members(self, name: str, files: list[Mapping]) -> None:
        """Get members of the archive `name`: from the mirror, or else out of the archive."""
        tried: list[str] = []
        missing = []
        for file in files:
            places, target = self._mirrored(file["path"]), self.verified / file["path"]
            if not any(self._from(place, file, target, tried) for place in places):
                missing.append(file)
        if not missing:
            return
        archive = self.incoming / name
        self._obtain(f"{self.dataset}/{name}", self.entry["archives"][name], archive, tried)
        unpacked = [self.incoming / f"member{i}" for i in range(len(missing))]
        members = {f["member"]: (at, f["bytes"]) for f, at in zip(missing, unpacked, strict=True)}
        extract_members(archive, members)
        for file, at in zip(missing, unpacked, strict=True):
            problem = differs(at, file)
            if problem:
                raise InputError(f"{file['path']}: in the archive {name}: {problem}\n{HELP}")
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
        if scheme == "file":
            return [str(Path(url2pathname(urlsplit(self.mirror).path), path))]
        if scheme:
            raise InputError(
                f"DATA_MIRROR={self.mirror}: expected a directory or a file://, http:// or"
                f" https:// prefix, found {scheme}://"
            )
        return [str(Path(self.mirror, path))]

    def _disk(self, error: OSError) -> str:
        need = sum(file["bytes"] for file in self.entry["files"])
        what = error.strerror or str(error)
        where = error.filename or self.raw
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = f"no space left on the disk ({what}): {self.dataset} needs {need} bytes"
            what += ", and its archive beside them" if "archives" in self.entry else ""
        return f"{where}: cannot be written: {what}. Make room or make it writable, then run again."


def _move(source: Path, target: Path) -> None:
    """Rename a finished file into place, on the same disk, once its bytes are written to it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        source.replace(temporary)


def _copy(source: Path, expected: Mapping, target: Path) -> None:
    """Copy from a mirror on this machine. Raises InputError if it lacks the file or has another."""
    try:
        if not source.is_file():
            raise InputError("no such file" if source.parent.is_dir() else "no such folder")
        problem = differs(source, expected)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from None
    if problem:
        raise InputError(problem)
    shutil.copyfile(source, target)
    problem = differs(target, expected)
    if problem:
        raise InputError(f"changed while it was copied: {problem}")
