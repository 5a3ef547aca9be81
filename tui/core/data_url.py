"""Data URLs as people want to see them: media type, size and digest instead of a megabyte of base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tui.core import figures

__all__ = ["STAND_IN", "DataUrl", "count_kept", "folded", "length_of", "size_of", "stand_in"]

_PREFIX: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)((?:;[\w.+-]+=[\w.+-]+)*);base64,")
_PIECE: Final = 4 * 65_536
"""Characters decoded at a time; a multiple of 4."""

STAND_IN: Final = re.compile(
    "‹([\\d,]+) characters of base64 for ([\\d,]+) bytes, sha256 of the characters ([0-9a-f]{64})›"
)
"""What stands for large base64 in an outline (`request_body.Outline`)."""

_COUNTED: dict[str, tuple[int | None, str]] = {}
"""Of what was left out, by the digest of its characters: bytes after decoding, and their digest."""


@dataclass(frozen=True, slots=True)
class DataUrl:
    """What a data URL holds.

    Attributes:
        media_type: e.g. `application/pdf`.
        size: Bytes after decoding; `None` when it is no valid base64.
        sha256: Hex digest of those bytes; empty when there are none.
    """

    media_type: str
    size: int | None
    sha256: str

    def __str__(self) -> str:
        """One line: media type, size, digest."""
        if self.size is None:
            return f"{self.media_type}, not valid base64"
        return f"{self.media_type}, {figures.size(self.size)} ({self.size:,} bytes), sha256 {self.sha256}"


def folded(text: str) -> DataUrl | None:
    """Read `text` as a base64 data URL; `None` when it is none."""
    match = _PREFIX.match(text, 0, 256)
    if match is None:
        return None
    kept = STAND_IN.fullmatch(text, match.end()) if text.endswith("›") else None
    if kept is not None:
        known = _COUNTED.get(kept[3], (_number(kept[2]), "…"))
        return DataUrl(match[1], *known)
    pieces = (text[start : start + _PIECE] for start in range(match.end(), len(text), _PIECE))
    return DataUrl(match[1], *_counted(pieces, len(text) - match.end()))


def _counted(pieces: Iterator[str] | Iterator[bytes], length: int) -> tuple[int | None, str]:
    """Bytes after decoding and their digest; in pieces, so that other threads run in between."""
    digest = hashlib.sha256()
    size = seen = 0
    try:
        for piece in pieces:
            seen += len(piece)
            data = base64.b64decode(piece, validate=True)
            if len(data) < _PIECE // 4 * 3 and seen < length:
                return None, ""
            digest.update(data)
            size += len(data)
    except (binascii.Error, ValueError):
        return None, ""
    return size, digest.hexdigest()


def stand_in(characters: int, octets: int, digest: str) -> str:
    """The words that stand for base64 of this many characters, that hash to `digest`."""
    return f"‹{characters:,} characters of base64 for {octets:,} bytes, sha256 of the characters {digest}›"


def count_kept(words: str, base64_of: Callable[[], bytes]) -> bool:
    """Find the digest of what `words` stand for, so that `folded` knows it; whether it was not known yet."""
    kept = STAND_IN.fullmatch(words)
    if kept is None or kept[3] in _COUNTED:
        return False
    data = base64_of()
    pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    _COUNTED[kept[3]] = _counted(pieces, len(data))
    return True


def length_of(text: str) -> int:
    """Characters of a text, with those that were left out of it."""
    return len(text) + sum(_number(kept[1]) - len(kept[0]) for kept in STAND_IN.finditer(text))


def size_of(text: str) -> int:
    """Bytes of a text as UTF-8, with those that were left out of it."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    # The words hold two signs that are no ASCII, of three bytes each; what they stand for is ASCII.
    return size + sum(_number(kept[1]) - len(kept[0]) - 4 for kept in STAND_IN.finditer(text))


def _number(words: str) -> int:
    return int(words.replace(",", ""))
