"""Data URLs as people want to see them: media type, size and digest instead of a megabyte of base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from tui.core import figures

__all__ = ["DataUrl", "folded"]

_PREFIX: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)((?:;[\w.+-]+=[\w.+-]+)*);base64,")
_PIECE: Final = 4 * 65_536
"""Characters decoded at a time; a multiple of 4."""


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
    digest = hashlib.sha256()
    size = 0
    try:
        # In pieces, so that a large file does not hold the interpreter while the interface waits.
        for start in range(match.end(), len(text), _PIECE):
            data = base64.b64decode(text[start : start + _PIECE], validate=True)
            if len(data) < _PIECE // 4 * 3 and start + _PIECE < len(text):
                return DataUrl(match[1], None, "")
            digest.update(data)
            size += len(data)
    except (binascii.Error, ValueError):
        return DataUrl(match[1], None, "")
    return DataUrl(match[1], size, digest.hexdigest())
