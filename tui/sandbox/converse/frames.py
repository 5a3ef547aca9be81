"""The frames of `application/vnd.amazon.eventstream` (bedrock-facts.md section 6, VERIFIED, botocore).

Big-endian: total length, length of the headers and the CRC32 of these eight bytes; headers; payload; the
CRC32 of all that. A header is its name's length in a byte, the name, the type 7, the value's length in two
bytes and the value.
"""

from __future__ import annotations

import functools
import struct
import zlib

from ..shapes import encode

_STRING = 7


def event(kind: str, payload: bytes) -> bytes:
    """A frame of the message type `event`; the payload is JSON."""
    return _frame(_headers("event", kind), payload)


def exception(kind: str, payload: object) -> bytes:
    """A frame of the message type `exception`."""
    return _frame(_headers("exception", kind), encode(payload))


def error(code: str, message: str) -> bytes:
    """A frame of the message type `error`: it has no payload."""
    pairs = ((":error-code", code), (":error-message", message), (":message-type", "error"))
    return _frame(_encoded(pairs), b"")


def damaged(frame: bytes, at: int) -> bytes:
    """The frame with one byte changed; -1 is the last of its checksum, 8 the first of the prelude's."""
    changed = bytearray(frame)
    changed[at] ^= 0xFF
    return bytes(changed)


@functools.lru_cache(maxsize=64)
def _headers(message_type: str, kind: str) -> bytes:
    pairs = (
        (f":{message_type}-type", kind),
        (":content-type", "application/json"),
        (":message-type", message_type),
    )
    return _encoded(pairs)


def _encoded(pairs: tuple[tuple[str, str], ...]) -> bytes:
    out = b""
    for name, value in pairs:
        data = value.encode()
        out += struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(data)) + data
    return out


def _frame(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    start = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return start + struct.pack(">I", zlib.crc32(start))
