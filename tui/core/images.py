"""What a picture's first bytes say of it: its kind and its size, without decoding it.

The kinds are those that the Responses API takes as `input_image`: PNG, JPEG, WebP and GIF without animation
(OpenAI's guide, "Images and vision"). That Bedrock takes the same is assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["ImageInfo", "image_info", "image_tokens"]


# The guide's rule for GPT-5 at detail "high": fitted into 2048 x 2048, then the shorter side to 768, then
# counted in tiles of 512 x 512. Newer models count a little otherwise: it is an estimate.
_FIT: Final = 2048
_SHORTER: Final = 768
_TILE: Final = 512
_BASE_TOKENS: Final = 70
_TILE_TOKENS: Final = 140

# Of a JPEG's segments before its frame, and of a GIF's blocks before its second picture: far more than any
# has, and few enough that a file made of nothing else costs milliseconds.
_MOST_STEPS: Final = 200_000


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture is.

    Attributes:
        media_type: `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
        width: In pixels.
        height: In pixels.
        animated: Whether it has more than one frame; told of GIF and WebP.
    """

    media_type: str
    width: int
    height: int
    animated: bool = False


def image_info(data: bytes) -> ImageInfo | None:
    """Read a picture's kind and size; `None` for anything else, and for one that is cut or broken.

    Args:
        data: The file, or its first bytes: 64 KB are enough for all but a JPEG with a large preview in it.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            found = ImageInfo("image/png", _big(data, 16, 4), _big(data, 20, 4))
        elif data[:6] in (b"GIF87a", b"GIF89a"):
            found = ImageInfo("image/gif", _little(data, 6, 2), _little(data, 8, 2), _gif_moves(data))
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            found = _webp(data)
        elif data.startswith(b"\xff\xd8\xff"):
            found = _jpeg(data)
        else:
            return None
    except IndexError:
        return None
    return found if found is not None and found.width and found.height else None


def image_tokens(width: int, height: int) -> int:
    """About how many input tokens a picture of this size in pixels comes to."""
    scale = min(1.0, _FIT / max(width, height))
    scale *= min(1.0, _SHORTER / (min(width, height) * scale))
    tiles = math.ceil(width * scale / _TILE) * math.ceil(height * scale / _TILE)
    return _BASE_TOKENS + _TILE_TOKENS * tiles


def _big(data: bytes, at: int, size: int) -> int:
    if len(data) < at + size:
        raise IndexError
    return int.from_bytes(data[at : at + size], "big")


def _little(data: bytes, at: int, size: int) -> int:
    if len(data) < at + size:
        raise IndexError
    return int.from_bytes(data[at : at + size], "little")


def _webp(data: bytes) -> ImageInfo | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
        return ImageInfo("image/webp", width, height, bool(data[20] & 0x02))
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = _little(data, 21, 4)
        return ImageInfo("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return ImageInfo("image/webp", _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF)
    return None


def _jpeg(data: bytes) -> ImageInfo | None:
    """Walk the segments to the frame header (ITU T.81, annex B)."""
    at = 2
    for _ in range(_MOST_STEPS):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:  # fill bytes, markers without length
            at += 1 if marker == 0xFF else 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return ImageInfo("image/jpeg", _big(data, at + 7, 2), _big(data, at + 5, 2))
        elif marker in (0xD9, 0xDA):
            return None
        else:
            at += 2 + max(2, _big(data, at + 2, 2))
    return None


def _gif_moves(data: bytes) -> bool:
    """Whether a second picture follows the first one."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    pictures = steps = 0
    while at < len(data):
        kind = data[at]
        if kind == 0x2C:
            pictures += 1
            if pictures > 1:
                return True
            flags = data[at + 9] if at + 9 < len(data) else 0
            at += 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1
        elif kind == 0x21:
            at += 2
        else:
            return False
        while at < len(data) and data[at] and steps < _MOST_STEPS:
            at += data[at] + 1
            steps += 1
        at += 1
        if (steps := steps + 1) > _MOST_STEPS:
            return False
    return False
