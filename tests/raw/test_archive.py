"""Archives that were made to do harm are refused; nothing outside the wanted files is written."""

import io
import tarfile

import pytest

from pipeline.errors import InputError
from raw.archive import extract_members


def tar(path, *members: tuple[str, bytes, bytes]):
    """Write a tar of (name, type, data); data of a link is its target."""
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = data.decode()
            archive.addfile(info, io.BytesIO(data))
    return path


WANTED = ("ok", tarfile.REGTYPE, b"fine")


def test_good_archive(tmp_path):
    archive = tar(tmp_path / "a.tgz", ("dir", tarfile.DIRTYPE, b""), WANTED)
    extract_members(archive, {"ok": (tmp_path / "deep/out", 4)})
    assert (tmp_path / "deep/out").read_bytes() == b"fine"


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (("/etc/evil", tarfile.REGTYPE, b"x"), "outside"),
        (("../evil", tarfile.REGTYPE, b"x"), "outside"),
        (("a/../../evil", tarfile.REGTYPE, b"x"), "outside"),
        (("a\\..\\..\\evil", tarfile.REGTYPE, b"x"), "outside"),
        (("C:/evil", tarfile.REGTYPE, b"x"), "outside"),
        (("link", tarfile.SYMTYPE, b"/etc/passwd"), "a link"),
        (("link", tarfile.LNKTYPE, b"ok"), "a link"),
        (("pipe", tarfile.FIFOTYPE, b""), "special"),
        (("disk", tarfile.BLKTYPE, b""), "special"),
    ],
)
def test_harmful_member_refuses_all(tmp_path, member, says):
    archive = tar(tmp_path / "a.tgz", WANTED, member)
    with pytest.raises(InputError, match=says):
        extract_members(archive, {"ok": (tmp_path / "out", 4)})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tgz"]


@pytest.mark.parametrize("size", [2**40 + 1, 2**62])
@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.REGTYPE])
def test_a_size_that_no_disk_has_claims_no_memory(tmp_path, kind, size):
    header = tarfile.TarInfo("ok")
    header.type, header.size = kind, size
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    with pytest.raises(InputError):
        extract_members(tmp_path / "a.tar", {"ok": (tmp_path / "out", 4)})


def test_every_truncation_is_a_clear_error(tmp_path):
    whole = tar(tmp_path / "a.tgz", WANTED).read_bytes()
    cut = tmp_path / "cut.tgz"
    for end in range(len(whole) - 1):
        cut.write_bytes(whole[:end])
        # Cut in the checksum at the end, or in the padding, it may still give the right bytes.
        try:
            extract_members(cut, {"ok": (tmp_path / "out", 4)})
        except InputError:
            continue
        assert (tmp_path / "out").read_bytes() == b"fine"
