"""AWS event-stream frames: bytes cut anywhere to messages, decoded by botocore.

botocore checks lengths and both checksums and reads the headers; this module keeps where each frame stood in
the stream, so that the record shows it byte for byte, and makes one kind of error of all that can be wrong.
botocore comes with an extra, because a conversation over the other APIs needs nothing of it.
Source: AWS, "Event stream encoding"; bedrock-facts.md section 6, "ConverseStream".
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["DAMAGED", "EVENT_STREAM", "INSTALL", "EventStreamDecoder", "Frame", "is_installed"]

EVENT_STREAM: Final = "application/vnd.amazon.eventstream"
"""The media type of such a stream."""

INSTALL: Final = "pip install 'outcrop[converse]'"
"""What makes streams readable where botocore is missing."""

_LEAST: Final = 16
"""Bytes of a frame without headers and payload: two lengths and two checksums."""

_KINDS: Final = (":event-type", ":exception-type", ":error-code")


DAMAGED: Final = "damaged"
"""The `message` of a frame that stands for everything from a damage on."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of an event stream.

    Attributes:
        message: `event`, `exception` or `error`; `DAMAGED` for bytes that are no frame.
        kind: Which one: its `:event-type`, `:exception-type` or `:error-code`.
        said: The `:error-message` of an `error`, or what is damaged; empty for the others.
        data: Its payload as it came, JSON for Bedrock's; what is damaged, in words.
        start: Index of its first byte in the stream.
        end: Index after its last byte.
    """

    message: str
    kind: str
    said: str
    data: bytes
    start: int
    end: int


def is_installed() -> bool:
    """Whether frames can be decoded; imports botocore where it is there."""
    try:
        _library()
    except ImportError:
        return False
    return True


def _library() -> Any:
    # botocore has no types.
    return importlib.import_module("botocore.eventstream")


class EventStreamDecoder:
    """Takes a stream in pieces cut anywhere and gives the frames that are complete.

    After a damage nothing can be told apart any more: one frame says so, and nothing comes after it.
    """

    def __init__(self) -> None:
        self._buffer: Any = _library().EventStreamBuffer()
        self._position = 0
        self._received = 0
        self._damaged = False

    def feed(self, piece: bytes) -> list[Frame]:
        """Take the next bytes; return the frames they complete."""
        self._received += len(piece)
        if self._damaged:
            return []
        self._buffer.add_data(piece)
        frames: list[Frame] = []
        while not self._damaged:
            try:
                frame = self._next()
            except StopIteration:
                break
            frames.append(frame)
            self._damaged = frame.message == DAMAGED
        return frames

    def finish(self) -> Frame | None:
        """Say that the stream has ended; return what stands for a frame that was cut off, if one was."""
        if self._damaged or self._received == self._position:
            return None
        self._damaged = True
        return self._damage("it ends inside a frame")

    def _next(self) -> Frame:
        try:
            message: Any = self._buffer.next()
        except StopIteration:
            raise
        except Exception as error:
            # botocore has errors for lengths and checksums; damaged headers raise whatever struct, a
            # dictionary or a codec does. All of them mean the same.
            return self._damage(_words(error))
        start, size = self._position, int(message.prelude.total_length)
        if size < _LEAST + int(message.prelude.headers_length):
            return self._damage("a frame is shorter than its own headers")
        self._position = start + size
        headers: dict[str, object] = message.headers
        return Frame(
            str(headers.get(":message-type") or "event"),
            str(next((headers[name] for name in _KINDS if name in headers), "")),
            str(headers.get(":error-message") or ""),
            message.payload,
            start,
            self._position,
        )

    def _damage(self, why: str) -> Frame:
        return Frame(DAMAGED, DAMAGED, why, why.encode(), self._position, self._received)


def _words(error: Exception) -> str:
    library = _library()
    if isinstance(error, library.ChecksumMismatch):
        return "a checksum does not match"
    if isinstance(error, (library.InvalidHeadersLength, library.InvalidPayloadLength)):
        return "a frame says that it is longer than any may be"
    return "a frame's headers cannot be read"
