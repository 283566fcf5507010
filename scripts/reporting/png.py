"""PNG files (ISO/IEC 15948) of arrays, without an imaging library: a header, pixels, checksums."""

import struct
import zlib
from base64 import b64encode

import numpy as np

BLUE, ORANGE = (47, 124, 190), (213, 94, 0)  # Seen on white and on black.


def encode(pixels: np.ndarray, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Pixels uint8 (H, W) or (H, W, 3); colour: 0 grey, 2 RGB, 3 numbers of a palette's colours."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = pixels.shape[:2]
    lines = np.ascontiguousarray(pixels, np.uint8).reshape(height, -1)
    # Every line begins with its filter: 0, none.
    raw = np.hstack([np.zeros((height, 1), np.uint8), lines]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    body = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in body)


def photo(image: np.ndarray) -> bytes:
    """An image uint8 (H, W), of grey levels, or (H, W, 3). Few grey levels are stretched to 255."""
    if image.ndim == 2 and 0 < image.max() <= 16:
        image = (image * (255 // 16)).astype(np.uint8)
    return encode(image, 0 if image.ndim == 2 else 2)


def heat(values: np.ndarray, top: float | None = None) -> bytes:
    """Numbers (H, W): transparent at zero, the more opaque the larger; blue above, orange below.

    Opacity is the square root of |value| / top, so that small values differ visibly from zero.
    """
    top = top or float(np.abs(values).max()) or 1.0
    share = np.sqrt(np.minimum(np.abs(values) / top, 1.0))
    level = np.rint(127 * share).astype(np.int64) * np.where(values < 0, -1, 1) + 127  # 0 to 254
    palette = bytes(ORANGE) * 127 + bytes(BLUE) * 128
    opacity = bytes(2 * abs(k - 127) for k in range(255))
    return encode(level, 3, (b"PLTE", palette), (b"tRNS", opacity))


def uri(content: bytes) -> str:
    """A PNG as an address that loads nothing."""
    return "data:image/png;base64," + b64encode(content).decode()
