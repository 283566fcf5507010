"""Fetching against a server of this machine that serves, breaks off, corrupts and refuses."""

import errno
import hashlib
import io
import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from pipeline.errors import InputError
from raw import download
from raw.download import Downloader
from raw.fetch_dataset import Fetcher

GOOD = bytes(range(256)) * 1000  # 256,000 bytes: several chunks


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server:
    """Serves `files` (path -> bytes) as `behaviour` (path -> name of a fault) says; keeps a log."""

    def __init__(self):
        self.files, self.behaviour, self.log = {}, {}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request):
        path, span = request.path, request.headers.get("Range")
        fault = self.behaviour.get(path, "")
        earlier = sum(1 for logged, _ in self.log if logged == path)
        self.log.append((path, span))
        if path not in self.files:
            return request.send_error(404)
        if fault == "503 twice" and earlier < 2:
            return request.send_error(503)
        if fault == "503 always":
            return request.send_error(503)
        data = self.files[path]
        start = int(span[6:-1]) if span and fault != "no ranges" else 0
        if start >= len(data) and start:
            return request.send_error(416)
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        end = len(data)
        if (fault in ("breaks once", "no ranges") and not earlier) or fault == "breaks always":
            end = start + (len(data) - start) // 2
        request.wfile.write(data[start:end])
        if end < len(data):
            request.wfile.flush()
            request.connection.close()
        return None


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def entry(*files: dict, **more) -> dict:
    return {"files": list(files), **more}


def described(path: str, data: bytes, *urls: str) -> dict:
    return {"path": path, "bytes": len(data), "sha256": sha256(data), "urls": list(urls)}


def fetch(tmp_path, table: dict, mirror=None) -> None:
    Fetcher("toy", table, tmp_path / "raw", mirror, Downloader(back_off=0.001)).fetch()


def left(tmp_path) -> list[str]:
    """Every file under raw."""
    raw = tmp_path / "raw"
    return sorted(str(p.relative_to(raw)) for p in raw.rglob("*") if not p.is_dir())


@pytest.mark.parametrize("fault", ["", "503 twice", "breaks once", "no ranges"])
def test_a_url_that_recovers_gives_the_file(tmp_path, server, fault):
    server.files["/a.bin"], server.behaviour["/a.bin"] = GOOD, fault
    fetch(tmp_path, entry(described("toy/a.bin", GOOD, server.url + "/a.bin")))
    assert (tmp_path / "raw/toy/a.bin").read_bytes() == GOOD
    assert left(tmp_path) == ["toy/a.bin"]
    assert len(server.log) == {"": 1, "503 twice": 3}.get(fault, 2)
    if fault == "breaks once":
        start = int(server.log[1][1].removeprefix("bytes=").removesuffix("-"))
        assert 0 < start <= len(GOOD) // 2, "the second request did not resume"


@pytest.mark.parametrize(
    ("fault", "served", "says"),
    [
        ("", GOOD[:-1000], f"truncated: expected {len(GOOD)} bytes, found {len(GOOD) - 1000}"),
        ("", b"x" + GOOD[1:], f"found {sha256(b'x' + GOOD[1:])}"),
        ("", GOOD + b"more", "found more"),
        ("", None, "404 Not Found"),
        ("503 always", GOOD, "503 Service Unavailable"),
        ("breaks always", GOOD, "truncated: expected"),
    ],
)
def test_a_url_that_fails_says_why_and_leaves_nothing(tmp_path, server, fault, served, says):
    if served is not None:
        server.files["/a.bin"] = served
    server.behaviour["/a.bin"] = fault
    with pytest.raises(InputError) as caught:
        fetch(tmp_path, entry(described("toy/a.bin", GOOD, server.url + "/a.bin")))
    text = str(caught.value)
    for part in (says, "toy/a.bin", str(len(GOOD)), sha256(GOOD), "DATA_MIRROR", "PRESET=demo"):
        assert part in text
    assert left(tmp_path) == []


def test_next_url_is_taken_when_one_fails(tmp_path, server, capsys):
    server.files |= {"/bad": GOOD[::-1], "/good": GOOD}
    urls = [server.url + path for path in ("/none", "/bad", "/good")]
    fetch(tmp_path, entry(described("toy/a.bin", GOOD, *urls)))
    assert (tmp_path / "raw/toy/a.bin").read_bytes() == GOOD
    assert "404" in capsys.readouterr().out


def test_correct_files_are_kept_and_wrong_ones_replaced(tmp_path, server):
    server.files |= {"/a": GOOD, "/b": b"B"}
    table = entry(
        described("toy/a", GOOD, server.url + "/a"), described("toy/b", b"B", server.url + "/b")
    )
    fetch(tmp_path, table)
    before = (tmp_path / "raw/toy/a").stat()
    (tmp_path / "raw/toy/b").write_bytes(b"X")
    server.log.clear()
    fetch(tmp_path, table)
    after = (tmp_path / "raw/toy/a").stat()
    assert [path for path, _ in server.log] == ["/b"]
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert (tmp_path / "raw/toy/b").read_bytes() == b"B"


@pytest.mark.parametrize("kept", [GOOD[:1000], b"wrong" * 100, GOOD + b"too long"])
def test_the_part_of_a_killed_program_is_resumed_if_it_fits(tmp_path, server, kept):
    server.files["/a"] = GOOD
    part = tmp_path / "raw/toy/.incoming/a.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(kept)
    fetch(tmp_path, entry(described("toy/a", GOOD, server.url + "/a")))
    assert (tmp_path / "raw/toy/a").read_bytes() == GOOD
    assert left(tmp_path) == ["toy/a"]
    if kept == GOOD[:1000]:
        assert server.log == [("/a", "bytes=1000-")]


def test_a_url_that_refuses_leaves_the_part_that_another_was_filling(tmp_path, server):
    server.files["/good"] = GOOD
    part = tmp_path / "raw/toy/.incoming/a.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(GOOD[:200_000])
    # A closed host, a 404 and a file that ends too early (416), and only then the right one.
    server.files["/short"] = GOOD[:100]
    urls = ["http://127.0.0.1:9/a", *(server.url + path for path in ("/none", "/short", "/good"))]
    fetch(tmp_path, entry(described("toy/a", GOOD, *urls)))
    assert (tmp_path / "raw/toy/a").read_bytes() == GOOD
    assert server.log[-1] == ("/good", "bytes=200000-")


def test_a_complete_part_is_not_downloaded_again(tmp_path, no_network):
    part = tmp_path / "raw/toy/.incoming/a.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(GOOD)
    fetch(tmp_path, entry(described("toy/a", GOOD, "http://127.0.0.1:9/a")))
    assert left(tmp_path) == ["toy/a"]


def test_an_interrupted_download_goes_on_where_it_stood(tmp_path, server, monkeypatch):
    server.files["/a"] = GOOD
    table = entry(described("toy/a", GOOD, server.url + "/a"))
    whole = requests.Response.iter_content

    def interrupted(response, size):
        yield next(whole(response, size))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path, table)
    fetch(tmp_path, table)
    assert server.log == [("/a", None), ("/a", "bytes=65536-")]
    assert left(tmp_path) == ["toy/a"]


def test_one_bad_url_does_not_lose_the_verified_siblings(tmp_path, server):
    """Until all are right none is in place, where Snakemake would delete it with the job."""
    members = {"one": b"1" * 100}
    packed_up = packed(d__one=members["one"])
    server.files |= {"/a": GOOD, "/all.tar.gz": packed_up}
    table = archived(packed_up, members, server.url + "/all.tar.gz")
    table["files"] += [
        described("toy/a", GOOD, server.url + "/a"),
        described("toy/b", b"B", server.url + "/b"),
    ]
    for _ in range(2):
        with pytest.raises(InputError, match="404"):
            fetch(tmp_path, table)
    assert left(tmp_path) == ["toy/.incoming/verified/toy/a"]
    server.files["/b"] = b"B"
    fetch(tmp_path, table)
    assert left(tmp_path) == ["toy/a", "toy/b", "toy/one"]
    asked = [path for path, _ in server.log]
    assert asked.count("/a") == 1 and asked.count("/b") == 3


@pytest.mark.parametrize(("size", "bar"), [(2_000_000, True), (900_000, False)])
def test_a_bar_for_large_downloads_only(tmp_path, server, capsys, size, bar):
    server.files["/a"] = bytes(size)
    fetch(tmp_path, entry(described("toy/a", bytes(size), server.url + "/a")))
    assert ("100%" in capsys.readouterr().err) == bar


def test_a_mirror_directory_shows_no_bar(tmp_path, no_network, capsys):
    data = bytes(2_000_000)
    (tmp_path / "mirror/toy").mkdir(parents=True)
    (tmp_path / "mirror/toy/a").write_bytes(data)
    table = entry(described("toy/a", data, "http://127.0.0.1:9/a"))
    fetch(tmp_path, table, str(tmp_path / "mirror"))
    assert capsys.readouterr().err == ""


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(requests.Session, "get", refuse)


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_full_mirror_needs_no_network(tmp_path, no_network, prefix):
    mirror = tmp_path / "mir ror"
    (mirror / "toy/sub").mkdir(parents=True)
    (mirror / "toy/sub/a").write_bytes(GOOD)
    table = entry(described("toy/sub/a", GOOD, "http://127.0.0.1:9/a"))
    fetch(tmp_path, table, prefix + str(mirror).replace(" ", "%20" if prefix else " "))
    assert (tmp_path / "raw/toy/sub/a").read_bytes() == GOOD


def test_a_mirror_may_be_a_url_prefix(tmp_path, server):
    server.files["/pub/toy/a%20b"] = GOOD
    fetch(tmp_path, entry(described("toy/a b", GOOD, "http://127.0.0.1:9/a")), server.url + "/pub/")
    assert (tmp_path / "raw/toy/a b").read_bytes() == GOOD


@pytest.mark.parametrize("in_mirror", [None, GOOD[:10], GOOD[::-1]])
def test_what_the_mirror_lacks_comes_from_the_urls(tmp_path, server, in_mirror):
    server.files["/a"] = GOOD
    (tmp_path / "mirror/toy").mkdir(parents=True)
    if in_mirror:
        (tmp_path / "mirror/toy/a").write_bytes(in_mirror)
    table = entry(described("toy/a", GOOD, server.url + "/a"))
    fetch(tmp_path, table, str(tmp_path / "mirror"))
    assert (tmp_path / "raw/toy/a").read_bytes() == GOOD


def test_the_error_lists_every_place(tmp_path, server):
    urls = [server.url + "/one", server.url + "/two", "http://127.0.0.1:9/closed"]
    with pytest.raises(InputError) as caught:
        fetch(tmp_path, entry(described("toy/a", GOOD, *urls)), str(tmp_path / "nowhere"))
    text = str(caught.value)
    assert all(url in text for url in urls)
    assert f"{tmp_path}/nowhere/toy/a: no such folder" in text
    assert "Connection refused" in text
    assert left(tmp_path) == []


def test_a_dead_host_is_asked_for_one_file_only(tmp_path, monkeypatch):
    asked = []

    def refuse(_self, url, **_):
        asked.append(url)
        raise requests.ConnectionError("unreachable")

    monkeypatch.setattr(requests.Session, "get", refuse)
    loader = Downloader(back_off=0.001)
    for name in ("a", "b", "c"):
        with pytest.raises(InputError, match="no connection to example.org"):
            loader.fetch(f"https://example.org/{name}", tmp_path / name, 1, sha256(b"a"))
    assert asked == ["https://example.org/a"] * 2


def test_missing_certificates_are_no_full_disk(tmp_path, server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    server.files["/a"] = GOOD
    urls = ["https://127.0.0.1:9/a", server.url + "/a"]
    fetch(tmp_path, entry(described("toy/a", GOOD, *urls)))
    with pytest.raises(InputError, match="certificate bundle") as caught:
        fetch(tmp_path, entry(described("toy/b", GOOD, urls[0])))
    assert "Make room" not in str(caught.value)


def test_without_any_answer_it_gives_up_soon(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(download.time, "monotonic", lambda: clock[0])

    def hang(_self, url, **_):
        clock[0] += 10
        raise requests.ConnectTimeout("timed out")

    monkeypatch.setattr(requests.Session, "get", hang)
    loader = Downloader(back_off=0)
    for host in "abcdefgh":
        with pytest.raises(InputError):
            loader.fetch(f"https://{host}.example/x", tmp_path / "x", 1, sha256(b"a"))
    assert clock[0] <= 1020


def test_the_advice_for_a_bad_mirror_is_about_the_mirror(tmp_path, server):
    (tmp_path / "mirror/toy").mkdir(parents=True)
    (tmp_path / "mirror/toy/a").write_bytes(GOOD[::-1])
    table = entry(described("toy/a", GOOD, server.url + "/a"))
    with pytest.raises(InputError, match="put the right files into DATA_MIRROR=") as caught:
        fetch(tmp_path, table, str(tmp_path / "mirror"))
    assert "set DATA_MIRROR to a directory" not in str(caught.value)


def test_a_mirror_of_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="s3://"):
        fetch(tmp_path, entry(described("toy/a", GOOD, "http://127.0.0.1:9/a")), "s3://bucket")


@pytest.mark.parametrize("via", ["mirror", "url"])
def test_a_full_disk_is_told_as_such(tmp_path, server, monkeypatch, via):
    server.files["/a"] = GOOD
    (tmp_path / "mirror/toy").mkdir(parents=True)
    if via == "mirror":
        (tmp_path / "mirror/toy/a").write_bytes(GOOD)

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "raw/toy/a")

    monkeypatch.setattr(
        f"raw.{'fetch_dataset.shutil.copyfile' if via == 'mirror' else 'download.tqdm'}", full
    )
    with pytest.raises(InputError, match=r"no space left.*needs 256000 bytes"):
        fetch(
            tmp_path,
            entry(described("toy/a", GOOD, server.url + "/a")),
            str(tmp_path / "mirror"),
        )
    assert left(tmp_path) == []


def packed(**members: bytes) -> bytes:
    """A tar.gz of `members`; the name's `__` becomes `/`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def archived(data: bytes, members: dict[str, bytes], *urls: str) -> dict:
    files = [
        {"path": f"toy/{name}", "bytes": len(value), "sha256": sha256(value)}
        | {"archive": "all.tar.gz", "member": f"d/{name}"}
        for name, value in members.items()
    ]
    held = {"bytes": len(data), "sha256": sha256(data), "urls": list(urls)}
    return {"files": files, "archives": {"all.tar.gz": held}}


def test_members_come_out_of_an_archive(tmp_path, server):
    members = {"one": b"1" * 100, "two": GOOD}
    data = packed(d__one=members["one"], d__two=members["two"], d__other=b"not asked for")
    server.files["/all.tar.gz"] = data
    fetch(tmp_path, archived(data, members, server.url + "/all.tar.gz"))
    assert left(tmp_path) == ["toy/one", "toy/two"]
    assert (tmp_path / "raw/toy/two").read_bytes() == GOOD


def test_a_mirror_may_hold_members_and_the_archive(tmp_path, no_network):
    members = {"one": b"1" * 100, "two": GOOD}
    data = packed(d__one=members["one"], d__two=members["two"])
    (tmp_path / "mirror/toy").mkdir(parents=True)
    (tmp_path / "mirror/toy/one").write_bytes(members["one"])
    (tmp_path / "mirror/toy/all.tar.gz").write_bytes(data)
    fetch(tmp_path, archived(data, members, "http://127.0.0.1:9/x"), str(tmp_path / "mirror"))
    assert left(tmp_path) == ["toy/one", "toy/two"]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"d__one": b"2" * 100}, "expected sha256"),
        ({"d__one": b"1" * 99}, "expected 100 bytes, found 99"),
        ({"d__other": b"1"}, "expected a member 'd/one'"),
        ({"d__one": b"1" * 100, "..__escape": b"x"}, "outside its folder"),
        ({"d__one": b"1" * 100, "__etc__x": b"x"}, "outside its folder"),
    ],
)
def test_a_bad_archive_is_refused(tmp_path, server, members, says):
    data = packed(**members)
    server.files["/all.tar.gz"] = data
    with pytest.raises(InputError, match=says):
        fetch(tmp_path, archived(data, {"one": b"1" * 100}, server.url + "/all.tar.gz"))
    assert left(tmp_path) == []
    assert not list(tmp_path.rglob("escape"))


def test_what_is_wrong_with_certificates_or_proxy_is_not_blamed_on_the_disk(
    tmp_path, server, monkeypatch
):
    """Each leads to the next place; its reason is a whole sentence."""
    server.files["/a"] = GOOD
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    closed = "https://127.0.0.1:9/a"
    for variable, value, says in (
        (
            "REQUESTS_CA_BUNDLE",
            "/no/such.pem",
            "invalid path: /no/such.pem. See REQUESTS_CA_BUNDLE",
        ),
        (
            "HTTPS_PROXY",
            "http://127.0.0.1:9",
            "proxy: HTTPSConnection(host='127.0.0.1', port=9): F",
        ),
        ("HTTPS_PROXY", "socks5://127.0.0.1:9", "no usable url or proxy (Missing dependencies"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            with pytest.raises(InputError) as caught:
                fetch(tmp_path, entry(described("toy/a", GOOD, closed)))
            assert says in str(caught.value) and "Make room" not in str(caught.value)
            fetch(tmp_path, entry(described("toy/a", GOOD, closed, server.url + "/a")))
        (tmp_path / "raw/toy/a").unlink()
