"""What a picture in a request is: its kind and its size, read from its header.

Section 1.4: GPT models take images, VERIFIED (cb). The kinds, the refusals and the cost are ASSUMED (OpenAI's
guide "Images and vision"); the pixels are not looked at.
"""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from dataclasses import dataclass

from .errors import ApiError

LARGEST = 50 * 1024 * 1024
_KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP", "image/gif": "GIF"}
_MOST_KNOWN = 32
_known: dict[bytes, Picture] = {}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as read: its kind, its size in pixels, and a name for its bytes."""

    kind: str
    width: int
    height: int
    digest: str

    @property
    def tokens(self) -> int:
        """ASSUMED: 70, and 140 for each square of 512 once the shorter side is at most 768."""
        factor = min(1.0, 2048 / max(self.width, self.height))
        factor *= min(1.0, 768 / (min(self.width, self.height) * factor))
        across, down = (math.ceil(side * factor / 512) for side in (self.width, self.height))
        return 70 + 140 * across * down


def _refused(message: str, status: int = 400) -> ApiError:
    return ApiError(status, "invalid_image", message, param="input")


def read(url: str) -> Picture:
    """Decode a data URL and read the picture's header.

    Args:
        url: `data:image/png;base64,…`, or jpeg, webp, gif.

    Raises:
        ApiError: 400 for another media type, broken base64, or bytes that are no such picture;
            413 above 50 MB.
    """
    digest = hashlib.sha256(url.encode("utf-8", "replace")).digest()
    found = _known.get(digest)
    if found is None:
        found = _read(url, digest.hex()[:12])
        if len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[digest] = found
    return found


def _read(url: str, digest: str) -> Picture:
    head, comma, encoded = url.partition(",")
    kind = _KINDS.get(head.removeprefix("data:").removesuffix(";base64"))
    if not comma or kind is None or not head.endswith(";base64"):
        raise _refused("Invalid image: expected a data URL of image/png, jpeg, webp or gif in base64.")
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise _refused("Invalid image: the base64 of 'image_url' cannot be decoded.") from None
    if len(data) > LARGEST:
        raise _refused("The image is larger than 50 MB.", 413)
    try:
        size = {"PNG": _png, "JPEG": _jpeg, "WebP": _webp, "GIF": _gif}[kind](data)
    except (struct.error, IndexError):
        size = None
    if size is None or 0 in size:
        raise _refused(f"Invalid image: the data is no {kind} image.")
    return Picture(kind, size[0], size[1], digest)


_Size = tuple[int, int]


def _png(data: bytes) -> _Size | None:
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif(data: bytes) -> _Size | None:
    if data[:4] != b"GIF8":
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _webp(data: bytes) -> _Size | None:
    if data[:4] + data[8:12] != b"RIFFWEBP":
        return None
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        case b"VP8X":
            wide, high = data[24:27] + b"\0", data[27:30] + b"\0"
            return struct.unpack("<I", wide)[0] + 1, struct.unpack("<I", high)[0] + 1
        case _:
            return None


def _jpeg(data: bytes) -> _Size | None:
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker in (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        at += 2 + length
    return None
