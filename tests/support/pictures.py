"""Small pictures for tests; the PNG can be decoded, the others have a right header."""

from __future__ import annotations

import struct
import zlib

__all__ = ["gif", "jpeg", "png", "webp"]


def png(width: int, height: int, seed: bytes = b"\x40") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + seed * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + app0 + frame + b"\xff\xda" + bytes(20) + b"\xff\xd9"


def gif(width: int, height: int, frames: int = 1) -> bytes:
    control = b"\x21\xf9\x04" + bytes(4) + b"\0"
    picture = b"\x2c" + bytes(4) + struct.pack("<HH", width, height) + b"\0\x02\x02\x4c\x01\0"
    return (
        b"GIF89a"
        + struct.pack("<HH", width, height)
        + b"\x80\0\0"
        + bytes(6)
        + (control + picture) * frames
        + b"\x3b"
    )


def webp(width: int, height: int, kind: str) -> bytes:
    if kind == "VP8X":
        body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == "VP8L":
        body = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    else:
        body = bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return (
        b"RIFF"
        + struct.pack("<I", 12 + len(body))
        + b"WEBP"
        + kind.encode()
        + struct.pack("<I", len(body))
        + body
    )
