"""One file over HTTP: retries with back-off, resume where it broke off, a progress bar, a checksum.

`requests` with urllib3's Retry repeats what a busy server refuses; a connection that breaks in the
middle is continued by a Range request. What a killed program had of a file stays as `<name>.part`;
the next program continues from there, from the first url that serves it. A url that refuses leaves
the part alone.
"""

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter, Retry
from tqdm import tqdm

from pipeline.errors import InputError
from pipeline.hashing import file_sha256

# Per address of a host, which may have several.
CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
# If no host has answered at all after so long, there is no network: say so soon.
OFFLINE_SECONDS = 12.0
ATTEMPTS = 4
BUSY = (429, 500, 502, 503, 504)
# Smaller files get no progress bar.
BAR_BYTES = 1_000_000


class Downloader:
    """Downloads of one program: remembers which hosts do not answer, so that each fails once.

    back_off: seconds before the first retry, doubled before each further one.
    """

    def __init__(self, back_off: float = 0.5):
        self.back_off = back_off
        self._session: requests.Session | None = None
        self._dead: dict[str, str] = {}
        self._alive: set[str] = set()
        self._started = 0.0
        self._wrote = False

    def fetch(self, url: str, target: Path, size: int, sha256: str) -> None:
        """Download `url` to `target` and verify its size in bytes and sha256 (hex).

        Raises InputError that says in one line why this url did not give the file; then there is
        no `target`, and a part of it only if it was there before and this url added nothing to it.
        OSError if the disk refuses (no space left).
        """
        part = target.with_name(target.name + ".part")
        while True:
            resumed = part.exists()
            self._wrote = False
            try:
                self._stream(url, part, size)
            except (InputError, OSError):
                if self._wrote:
                    part.unlink(missing_ok=True)
                raise
            found = file_sha256(part)
            if found == sha256:
                os.replace(part, target)
                return
            part.unlink()
            # What an earlier program left may belong to another file: once more, from the start.
            if not resumed:
                raise InputError(f"expected sha256 {sha256}, found {found}")

    def _stream(self, url: str, part: Path, size: int) -> None:
        host = urlsplit(url).netloc
        if host in self._dead:
            raise InputError(self._dead[host])
        reason = ""
        for attempt in range(ATTEMPTS):
            self._check_network()
            if attempt:
                time.sleep(self.back_off * 2 ** (attempt - 1))
            asked = time.monotonic()
            try:
                self._once(url, part, size)
                return
            except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
                raise InputError(f"no usable url ({error})") from None
            except requests.RequestException as error:
                reason = _reason(error)
            except OSError as error:
                if error.errno is not None:
                    raise
                raise InputError(str(error)) from None  # requests finds no CA certificates
            if host not in self._alive and (attempt or time.monotonic() - asked > 1):
                self._dead[host] = f"no connection to {host}: {reason}"
                raise InputError(self._dead[host])
        got = part.stat().st_size if part.exists() else 0
        raise InputError(
            f"truncated: expected {size} bytes, found {got} after {ATTEMPTS} attempts ({reason})"
        )

    def _once(self, url: str, part: Path, size: int) -> None:
        """One request; appends to `part` if the server can start in the middle."""
        have = part.stat().st_size if part.exists() else 0
        if have == size:
            return
        if have > size:
            part.unlink()
            have = 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with self._connection().get(
            url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)
        ) as response:
            self._alive.add(urlsplit(url).netloc)
            if response.status_code not in (200, 206):
                raise InputError(f"{response.status_code} {response.reason}")
            start = have if _continues(response, have) else 0
            self._wrote = True
            with (
                part.open("r+b" if start else "wb") as out,
                tqdm(
                    total=size,
                    initial=start,
                    unit="B",
                    unit_scale=True,
                    desc=part.stem,
                    mininterval=1,
                    disable=size < BAR_BYTES,
                ) as bar,
            ):
                out.seek(start)
                for chunk in response.iter_content(1 << 16):
                    start += len(chunk)
                    if start > size:
                        raise InputError(f"expected {size} bytes, found more")
                    out.write(chunk)
                    bar.update(len(chunk))
        if start < size:
            raise InputError(f"truncated: expected {size} bytes, found {start}")

    def _check_network(self) -> None:
        self._started = self._started or time.monotonic()
        if not self._alive and time.monotonic() - self._started > OFFLINE_SECONDS:
            raise InputError(f"not tried: no host has answered in {OFFLINE_SECONDS:.0f} s")

    def _connection(self) -> requests.Session:
        if self._session is None:
            retry = Retry(
                total=ATTEMPTS,
                connect=0,
                read=0,
                status=ATTEMPTS - 1,
                backoff_factor=self.back_off,
                backoff_max=10,
                respect_retry_after_header=False,  # it may ask for hours
                status_forcelist=BUSY,
                raise_on_status=False,
            )
            self._session = requests.Session()
            self._session.mount("https://", HTTPAdapter(max_retries=retry))
            self._session.mount("http://", HTTPAdapter(max_retries=retry))
        return self._session


def _continues(response: requests.Response, have: int) -> bool:
    expected = f"bytes {have}-"
    return response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
        expected
    )


def _reason(error: requests.RequestException) -> str:
    """The innermost cause that urllib3 names, in one short line."""
    cause: object = error
    while isinstance(cause, BaseException) and (
        getattr(cause, "reason", None) or (cause.args and isinstance(cause.args[0], BaseException))
    ):
        cause = getattr(cause, "reason", None) or cause.args[0]
    return " ".join(str(cause).split())[-160:] or type(error).__name__
