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
from requests.exceptions import InvalidSchema, InvalidURL, ProxyError
from tqdm import tqdm

from pipeline.errors import InputError
from pipeline.hashing import file_sha256

# To connect, and between two pieces; per address of a host, which may have several.
TIMEOUT_SECONDS = (3.0, 20.0)
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
        self._dead: dict[str, str] = {}  # host -> why
        self._alive: set[str] = set()
        self._started = time.monotonic()
        self._wrote = False  # whether the url that is being tried added to the part
        retry = Retry(
            total=ATTEMPTS, connect=0, read=0, status=ATTEMPTS - 1, status_forcelist=BUSY,
            raise_on_status=False, backoff_factor=back_off, backoff_max=10,
            respect_retry_after_header=False,  # it may ask for hours
        )  # fmt: skip
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def fetch(self, url: str, target: Path, size: int, sha256: str) -> None:
        """Download `url` to `target` and verify its size in bytes and sha256 (hex).

        Raises InputError that says in one line why this url did not give the file; then there is
        no `target`, and a part of it only if it was there before and this url added nothing to it.
        OSError if the disk refuses (no space left).
        """
        part = target.with_name(target.name + ".part")
        resumed, self._wrote = part.exists(), False
        try:
            self._stream(url, part, size)
        except (InputError, OSError):
            if self._wrote:
                part.unlink(missing_ok=True)
            raise
        if (found := file_sha256(part)) == sha256:
            os.replace(part, target)
            return
        part.unlink()
        if not resumed:
            raise InputError(f"expected sha256 {sha256}, found {found}")
        # What an earlier program left may belong to another file: once more, from the start.
        self.fetch(url, target, size, sha256)

    def _stream(self, url: str, part: Path, size: int) -> None:
        host, reason = urlsplit(url).netloc, ""
        for attempt in range(ATTEMPTS):
            asked = time.monotonic()
            if host in self._dead:
                raise InputError(self._dead[host])
            if not self._alive and asked - self._started > OFFLINE_SECONDS:
                raise InputError(f"not tried: no host has answered in {OFFLINE_SECONDS:.0f} s")
            if attempt:
                time.sleep(self.back_off * 2 ** (attempt - 1))
            try:
                return self._once(url, part, size)
            except (InvalidURL, InvalidSchema) as error:
                raise InputError(f"no usable url or proxy ({error})") from None
            except requests.RequestException as error:
                reason = _reason(error)
            if host not in self._alive and (attempt or time.monotonic() - asked > 1):
                self._dead[host] = f"no connection to {host}: {reason}"
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
        try:
            response = self._session.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)
        except requests.RequestException:
            raise
        except OSError as error:  # not of our disk: CA certificates that cannot be read
            raise InputError(f"no connection: {error}. See REQUESTS_CA_BUNDLE") from None
        with response:
            self._alive.add(urlsplit(url).netloc)
            if response.status_code not in (200, 206):
                raise InputError(f"{response.status_code} {response.reason}")
            span = response.headers.get("Content-Range", "")
            goes_on = response.status_code == 206 and span.startswith(f"bytes {have}-")
            at, self._wrote = have if goes_on else 0, True
            bar = tqdm(
                desc=part.stem, total=size, initial=at, unit="B", unit_scale=True, mininterval=1,
                disable=size < BAR_BYTES,
            )  # fmt: skip
            with part.open("r+b" if at else "wb") as out, bar:
                out.seek(at)
                for chunk in response.iter_content(1 << 16):
                    at += len(chunk)
                    if at > size:
                        raise InputError(f"expected {size} bytes, found more")
                    out.write(chunk)
                    bar.update(len(chunk))
        if at < size:
            raise InputError(f"truncated: expected {size} bytes, found {at}")


def _reason(error: BaseException) -> str:
    """The innermost cause that urllib3 names, in one line; that of a proxy says so."""
    for cause in (getattr(error, "reason", None), *error.args):
        if isinstance(cause, BaseException):
            return "proxy: " * isinstance(error, ProxyError) + _reason(cause)
    return " ".join(str(error).split()) or type(error).__name__
