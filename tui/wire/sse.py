"""Bytes to server-sent events, by the WHATWG rules: any line ending, comments, a BOM, any cut.

Source: HTML Living Standard, "Server-sent events", section "Parsing an event stream".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tui.core.errors import StreamError

__all__ = ["DONE", "LONGEST_EVENT", "SseDecoder", "SseEvent"]

DONE: Final = b"[DONE]"

LONGEST_EVENT: Final = 64 * 2**20
"""Bytes of one event; more is no answer, and would be read until there is no memory left."""

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_USUAL: Final = re.compile(rb"(?:event: ([^\r\n]*)\n)?data: ")
_BOM: Final = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event; a tuple, as there are many and a tuple is made in a third of the time.

    Attributes:
        event: The `event` field; empty when the stream gave none.
        data: The data lines joined by newlines, still bytes: what is no UTF-8 is the reader's to refuse.
        start: Index of the event's first byte in the stream.
        end: Index after its last byte, the blank line included.
    """

    event: str
    data: bytes
    start: int
    end: int


class SseDecoder:
    """Takes the stream in pieces cut anywhere and gives the events that are complete."""

    def __init__(self) -> None:
        self._held: list[bytes] = []  # pieces of a line whose end has not come
        self._size = 0  # of these
        self._position = 0  # of the first one's first byte in the stream
        self._start = 0  # of the event being read
        self._event = ""
        self._data: list[bytes] = []
        self._begun = False
        self._usual = b"data: "  # how the last event began that was written as usual
        self._usual_event = ""

    def feed(self, piece: bytes) -> list[SseEvent]:
        """Take the next bytes; return the events they complete.

        Raises:
            StreamError: An event is longer than any may be.
        """
        if self._position + self._size - self._start > LONGEST_EVENT:
            raise StreamError(
                f"The server sent an event of more than {LONGEST_EVENT // 2**20} MB. What had come is kept.",
                code="bad_stream",
            )
        if self._begun and not self._ends_in_cr() and _LINE_END.search(piece) is None:
            # A long line is put together once, at its end.
            self._hold(piece)
            return []
        buffer = b"".join((*self._held, piece))
        if not self._begun:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._hold(piece)
                return []
            self._begun = True
            if buffer.startswith(_BOM):
                buffer = buffer[len(_BOM) :]
                self._position = self._start = len(_BOM)
        events: list[SseEvent] = []
        at = 0
        usual = b"\r" not in buffer
        while True:
            if usual and not self._data and not self._event:
                at = self._feed_usual(buffer, at, events)
            match = _LINE_END.search(buffer, at)
            # A CR that ends the piece may be the first half of a CRLF.
            if match is None or (match.end() == len(buffer) and match.group() == b"\r"):
                break
            event = self._line(buffer[at : match.start()], self._position + match.end())
            if event is not None:
                events.append(event)
            at = match.end()
        self._held, self._size = [], 0
        self._hold(buffer[at:])
        self._position += at
        return events

    def _feed_usual(self, buffer: bytes, at: int, events: list[SseEvent]) -> int:
        """Take the events from `at` on that are written as servers mostly do; returns where they end.

        That is a line with the name, or none, a line of data, a blank line. It takes a tenth of the time.
        """
        position, start = self._position, self._start
        usual, name = self._usual, self._usual_event
        while True:
            if not buffer.startswith(usual, at):
                head = _USUAL.match(buffer, at)
                if head is None:
                    break
                usual, name = head.group(), (head.group(1) or b"").decode("utf-8", "replace")
            begin = at + len(usual)
            end = buffer.find(b"\n", begin)
            if end < 0 or not buffer.startswith(b"\n", end + 1):
                break
            at = end + 2
            after = position + at
            events.append(SseEvent(name, buffer[begin:end], start, after))
            start = after
        self._start = start
        self._usual, self._usual_event = usual, name
        return at

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._held.append(piece)
            self._size += len(piece)

    def _ends_in_cr(self) -> bool:
        """Whether what is held ends in what may be the first half of a CRLF."""
        return bool(self._held) and self._held[-1].endswith(b"\r")

    def finish(self) -> SseEvent | None:
        """Say that the stream has ended; return the event whose blank line never came, if there is one.

        The standard drops such an event. A terminal event is too valuable for that, so the caller gets it
        and decides by whether its data is whole.
        """
        end = self._position + self._size
        # What is held back ends in a CR, or in nothing: the lines that it would have ended end here.
        rest = b"".join(self._held)
        self._held, self._size, self._position = [], 0, end
        event = self._line(rest.removesuffix(b"\r"), end) if rest else None
        return event or self._line(b"", end)

    def is_last(self, event: SseEvent) -> bool:
        """Whether it is the mark that servers put at the end."""
        return event.data == DONE

    def said_otherwise(self, events: Sequence[SseEvent]) -> Mapping[int, str]:
        """Nothing: data lines are read from the bytes; see `body_decoder`."""
        return {}

    def _line(self, line: bytes, end: int) -> SseEvent | None:
        if not line:
            event = None
            if self._data:
                event = SseEvent(self._event, b"\n".join(self._data), self._start, end)
            self._event = ""
            self._data = []
            self._start = end
            return event
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        return None
