"""Archives that were made to do harm are refused; nothing outside the wanted files is written."""

import io
import tarfile

import pytest

from pipeline.errors import InputError
from raw import archive
from raw.archive import extract_members


def tar(path, *members: tuple[str, bytes, bytes]):
    """Write a tar of (name, type, data); data of a link is its target."""
    with tarfile.open(path, "w:gz") as opened:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = data.decode()
            opened.addfile(info, io.BytesIO(data))
    return path


WANTED = ("ok", tarfile.REGTYPE, b"fine")


def test_good_archive(tmp_path):
    made = tar(tmp_path / "a.tgz", ("dir", tarfile.DIRTYPE, b""), WANTED)
    extract_members(made, {"ok": (tmp_path / "deep/out", 4)})
    assert (tmp_path / "deep/out").read_bytes() == b"fine"


def test_every_wanted_member_is_written_and_no_other(tmp_path):
    second = ("d/two", tarfile.REGTYPE, b"second")
    made = tar(tmp_path / "a.tgz", WANTED, ("other", tarfile.REGTYPE, b"x"), second)
    wanted = {"d/two": (tmp_path / "out/2", 6), "ok": (tmp_path / "out/1", 4)}
    for _ in range(2):  # the folder may be there
        extract_members(made, wanted)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == {
        "1": b"fine",
        "2": b"second",
    }


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [
        ("none", 4, "expected a member 'none', found none"),
        ("dir", 0, "expected a member 'dir', found none"),
        ("ok", 5, "ok: expected 5 bytes, found 4"),
    ],
)
def test_a_member_that_is_not_there_or_of_another_size(tmp_path, name, size, says):
    made = tar(tmp_path / "a.tgz", ("dir", tarfile.DIRTYPE, b""), WANTED)
    with pytest.raises(InputError, match=says):
        extract_members(made, {name: (tmp_path / "out", size)})
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_disk_is_not_one_of_the_archive(tmp_path):
    made = tar(tmp_path / "a.tgz", WANTED)
    with pytest.raises(IsADirectoryError):
        extract_members(made, {"ok": (tmp_path, 4)})


def test_members_and_headers_have_bounds(tmp_path, monkeypatch):
    """A long name of 150 letters is a header of its own, of 151 bytes."""
    files = [WANTED, ("n" * 150, tarfile.REGTYPE, b"x" * 1000)]
    with tarfile.open(tmp_path / "a.tgz", "w:gz", format=tarfile.GNU_FORMAT) as made:
        for name, _, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))

    def extract():
        extract_members(tmp_path / "a.tgz", {"ok": (tmp_path / "out", 4)})

    monkeypatch.setattr(archive, "_MAX_MEMBERS", 2)
    monkeypatch.setattr(archive, "_MAX_HEADER", 151)
    monkeypatch.setattr(archive, "_MAX_FILE", 1000)
    extract()
    for name, bound, says in (
        ("_MAX_MEMBERS", 1, "refused: more than 1 members"),
        ("_MAX_HEADER", 150, "a member of 151 bytes"),
        ("_MAX_FILE", 999, "a member of 1000 bytes"),
    ):
        with monkeypatch.context() as lower, pytest.raises(InputError, match=says):
            lower.setattr(archive, name, bound)
            extract()


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
    made = tar(tmp_path / "a.tgz", WANTED, member)
    with pytest.raises(InputError, match=says):
        extract_members(made, {"ok": (tmp_path / "out", 4)})
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
