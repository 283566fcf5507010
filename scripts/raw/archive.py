"""Extract members of a tar archive that may be hostile.

The whole archive is checked before anything is written; one suspicious member refuses all of it.
Nothing is unpacked to a place that the archive names: the caller says where each member goes.
"""

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from pipeline.errors import InputError

_MAX_MEMBERS = 100_000
_MAX_HEADER, _MAX_FILE = 1 << 20, 1 << 40  # bytes


class _Member(tarfile.TarInfo):
    """A member of a sane size, and so its long name and extended header, which are read whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        # tarfile names this method as the one to override.
        if self.size > (_MAX_FILE if self.type in tarfile.REGULAR_TYPES else _MAX_HEADER):
            raise tarfile.ReadError(f"a member of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


def extract_members(archive: str | Path, wanted: Mapping[str, tuple[Path, int]]) -> None:
    """Write members of a tar archive (plain, gzip, bzip2 or xz) to files.

    wanted: name in the archive -> (file to write, its size in bytes).
    Raises InputError if the archive is corrupt or truncated, holds an absolute path, a `..`, a
    link or a device, lacks a wanted member or has it in another size. Files that were written
    before an error stay; the caller owns their folder.
    """
    try:
        with tarfile.open(archive, "r:*", tarinfo=_Member) as opened:
            members: dict[str, tarfile.TarInfo] = {}
            for member in opened:
                _check(member, archive)
                members[member.name] = member
                if len(members) > _MAX_MEMBERS:
                    raise InputError(f"{archive}: refused: more than {_MAX_MEMBERS} members")
            for name, (target, size) in wanted.items():
                source = opened.extractfile(members[name]) if name in members else None
                if source is None:  # not there, or a folder
                    raise InputError(f"{archive}: expected a member {name!r}, found none")
                if (found := members[name].size) != size:
                    raise InputError(f"{archive}: {name}: expected {size} bytes, found {found}")
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # tarfile and the unpackers document no closed list
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's error, not that of the bytes
        raise InputError(f"{archive}: corrupt or truncated archive ({error})") from None


def _check(member: tarfile.TarInfo, archive: str | Path) -> None:
    """Refuse a member that is not a file or folder, or whose name leads out of its folder."""
    problem = ""
    if not (member.isfile() or member.isdir()):
        problem = "a link" if member.issym() or member.islnk() else "a device or other special file"
    posix, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        problem = "outside its folder"
    if problem:
        raise InputError(f"{archive}: refused: member {member.name!r} is {problem}")
