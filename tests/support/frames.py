"""AWS event-stream frames for tests, whole or wrong on purpose; shares no code with the program's decoder."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

__all__ = ["event", "exception", "frame"]


def frame(
    headers: Mapping[str, str] | bytes,
    payload: bytes = b"",
    *,
    total: int | None = None,
    headers_size: int | None = None,
    prelude_crc: int | None = None,
    crc: int | None = None,
) -> bytes:
    """One frame; what is given by name stands in it instead of what would be right."""
    written = headers if isinstance(headers, bytes) else b"".join(map(_header, headers.items()))
    lengths = struct.pack(
        ">II",
        16 + len(written) + len(payload) if total is None else total,
        len(written) if headers_size is None else headers_size,
    )
    prelude = lengths + struct.pack(">I", zlib.crc32(lengths) if prelude_crc is None else prelude_crc)
    message = prelude + written + payload
    return message + struct.pack(">I", zlib.crc32(message) if crc is None else crc)


def event(kind: str, payload: Any) -> bytes:
    """A frame of `:message-type` event, as Bedrock writes it."""
    return _json({":event-type": kind, ":message-type": "event"}, payload)


def exception(kind: str, payload: Any) -> bytes:
    """A frame that ends a stream with an exception."""
    return _json({":exception-type": kind, ":message-type": "exception"}, payload)


def _json(headers: Mapping[str, str], payload: Any) -> bytes:
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return frame({**headers, ":content-type": "application/json"}, data)


def _header(pair: tuple[str, str]) -> bytes:
    name, value = (text.encode() for text in pair)
    return bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value
