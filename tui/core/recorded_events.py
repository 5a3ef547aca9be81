"""The server-sent events in a recorded body, or its AWS frames, as numbers in arrays that point into it."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Protocol, TypeVar

from tui.core.lazy_sequence import GrowingSequence
from tui.core.recorded_body import BLOCK, Chunks, same

__all__ = ["Events", "Placed", "SseRecord", "Tells", "event_data", "sse_data"]

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_FRAME: Final = 16
"""Bytes of an AWS frame beside headers and payload: two lengths and a checksum before, a checksum after."""


class SseRecord:
    """One server-sent event of a response.

    Args:
        offset: Seconds from the exchange's beginning to the chunk that completed the event.
        type: The event's `type`, e.g. `response.output_text.delta`.
        data: The event's data lines, joined; or the body that they are read from when they are asked for.
        start: Index of its first byte in the body.
        end: Index after its last byte, the blank line included.
    """

    __slots__ = ("_data", "end", "offset", "start", "type")

    def __init__(self, offset: float, type: str, data: str | Chunks, start: int, end: int) -> None:
        self.offset = offset
        self.type = type
        self.start = start
        self.end = end
        self._data = data

    @property
    def data(self) -> str:
        """The event's data lines, joined."""
        if not isinstance(self._data, str):
            self._data = event_data(self._data.body(self.start, self.end))
        return self._data

    def _key(self) -> tuple[object, ...]:
        return self.offset, self.type, self.data, self.start, self.end

    def __eq__(self, other: object) -> bool:
        """Whether all of it is the same."""
        return isinstance(other, SseRecord) and self._key() == other._key()

    def __hash__(self) -> int:
        """Of all of it."""
        return hash(self._key())

    def __repr__(self) -> str:
        """Without the data."""
        return f"SseRecord({self.offset!r}, {self.type!r}, {self.start}:{self.end})"


class Placed(Protocol):
    """What stands in a body."""

    @property
    def start(self) -> int:
        """Index of its first byte."""
        ...

    @property
    def end(self) -> int:
        """Index after its last byte."""
        ...


Q = TypeVar("Q", bound=Placed, contravariant=True)


class Tells(Protocol[Q]):
    """Tells of events, which it took out of a body, what the record has beside their places; a decoder."""

    def said_otherwise(self, events: Sequence[Q]) -> Mapping[int, str]:
        """What those say, by index, whose data `event_data` cannot read from their bytes."""
        ...

    def kinds(self, events: Sequence[Q]) -> Sequence[str]:
        """The types under which the record has them."""
        ...


_Aside = tuple[Sequence[Placed], Tells[Any]]
"""Events, and what tells of them."""


class Events(GrowingSequence[SseRecord, _Aside]):
    """The server-sent events of a body; grows at its end. One thread appends, any may read.

    As in the body, what comes is put aside first.

    Args:
        body: What they are in.
        records: Those that have come so far.
    """

    def __init__(self, body: Chunks, records: Iterable[SseRecord] = ()) -> None:
        super().__init__()
        self._body = body
        self._times = array("q")  # microseconds
        self._ends = array("q")
        self._kinds = array("H")
        self._starts: dict[int, int] = {}  # of those that do not begin where the one before ends
        self._data: dict[int, str] = {}  # of those whose bytes do not say it
        self._names: list[str] = []
        self._index: dict[str, int] = {}
        self._own_times = False  # some came at another time than their last byte did
        for record in records:
            self.append(record)

    @classmethod
    def restored(
        cls,
        body: Chunks,
        arrays: tuple[array[int], array[int], array[int]],
        names: Iterable[str],
        starts: dict[int, int],
        data: dict[int, str],
    ) -> Events:
        """Events that were taken apart by `parts`; the first argument is the body they are in."""
        made = cls(body)
        made._times, made._ends, made._kinds = arrays
        made._own_times = bool(made._times)
        made._names = list(names)
        made._index = {name: index for index, name in enumerate(made._names)}
        made._starts, made._data = starts, data
        return made

    def parts(
        self,
    ) -> tuple[tuple[array[int], array[int], array[int]], list[str], dict[int, int], dict[int, str]]:
        """What `restored` takes: times (microseconds), ends and types of the events as arrays.

        There are no times where each event came with its last byte. Then the names of the types; the starts
        of events that do not begin where the one before ends, and the data of those whose bytes do not say
        it, by index.
        """
        count = len(self)
        times = self._timed(count)[:count] if self._own_times else array("q")
        arrays = (times, self._ends[:count], self._kinds[:count])
        return arrays, list(self._names), dict(self._starts), dict(self._data)

    def append(self, record: SseRecord) -> None:
        """Add an event; its data is kept beside the body where the body does not say the same."""
        said = event_data(self._body.body(record.start, record.end))
        data = None if said == record.data else record.data
        self.add(record.offset, record.type, record.start, record.end, data)

    def extend(self, records: Iterable[SseRecord]) -> None:
        """Add events."""
        for record in records:
            self.append(record)

    def add(self, offset: float, type: str, start: int, end: int, data: str | None = None) -> None:
        """Add an event that came at another time than its last byte did, else as `note`."""
        times = self._timed(len(self))
        with self._lock:
            times.append(int(offset * 1e6 + 0.5))
            self._own_times = True
        self.note(type, start, end, data)

    def note(self, type: str, start: int, end: int, data: str | None = None) -> None:
        """Add an event, e.g. of the SSE decoder, that is in the body by now.

        It came with its last byte: that is looked up when somebody asks.

        Args:
            type: Its type.
            start: Index of its first byte in the body.
            end: Index after its last byte.
            data: Its data, only where the body's bytes do not say it.
        """
        self._settle()
        kind = self._index.get(type)
        if kind is None:
            kind = self._name(type)
        ends = self._ends
        index = len(ends)
        if start != (ends[-1] if index else 0):
            self._starts[index] = start
        if data is not None:
            self._data[index] = data
        self._kinds.append(kind)
        # The last, as it is what counts them.
        ends.append(end)

    def note_all(self, events: Sequence[Q], tells: Tells[Q]) -> None:
        """Add events as `note` does.

        Args:
            events: What the body holds by now.
            tells: What tells their types, and what the bytes do not say of them.
        """
        if events:
            self._aside.append((events, tells))
            if events[-1].end - (self._ends[-1] if self._ends else 0) >= BLOCK:
                self._settle()

    def _see_to(self, aside: Sequence[_Aside]) -> None:
        for tells, group in groupby(aside, key=itemgetter(1)):
            self._take([event for events, _ in group for event in events], tells)

    def _take(self, events: Sequence[Placed], tells: Tells[Any]) -> None:
        first = len(self._ends)
        ends = [event.end for event in events]
        starts = [event.start for event in events]
        expected = [self._ends[-1] if first else 0, *ends[:-1]]
        if starts != expected:
            places = enumerate(zip(starts, expected, strict=True), first)
            self._starts.update((index, start) for index, (start, end) in places if start != end)
        for index, said in tells.said_otherwise(events).items():
            self._data[first + index] = said
        types = tells.kinds(events)
        for type in dict.fromkeys(types):
            if type not in self._index:
                self._name(type)
        self._kinds.extend(array("H", list(map(self._index.__getitem__, types))))
        self._ends.extend(array("q", ends))

    def _name(self, name: str) -> int:
        # A server that invents more types than that has its last ones under one name.
        kind = min(len(self._names), 0xFFFF)
        if kind == len(self._names):
            self._names.append(name)
        self._index[name] = kind
        return kind

    @property
    def offsets(self) -> list[float]:
        """When each came, as its `offset` says."""
        count = len(self)
        return [time / 1e6 for time in self._timed(count)[:count]]

    def _timed(self, count: int) -> array[int]:
        """When each of the first `count` came, at least, microseconds."""
        if len(self._times) < count:
            with self._lock:
                self._times.extend(self._body.times_of(self._ends[len(self._times) : count]))
        return self._times

    def of_types(self, *types: str) -> list[SseRecord]:
        """The events of these types, in their order; the others are not looked at one by one."""
        kinds = self._kinds[: len(self)]
        wanted = {index for index, name in enumerate(self._names) if name in types}
        return [self[index] for index, kind in enumerate(kinds) if kind in wanted] if wanted else []

    def __len__(self) -> int:
        """How many came."""
        self._settle()
        return len(self._ends)

    def made(self, index: int) -> SseRecord:
        """An event by its number; its data is read when it is asked for."""
        end = self._ends[index]
        start = self._starts.get(index)
        if start is None:
            start = self._ends[index - 1] if index else 0
        data = self._data.get(index, self._body)
        return SseRecord(
            self._timed(index + 1)[index] / 1e6, self._names[self._kinds[index]], data, start, end
        )

    def __eq__(self, other: object) -> bool:
        """Whether the other, a sequence of events, holds the same."""
        return same(self, other)

    def __repr__(self) -> str:
        """In short: their data is not shown."""
        return f"<{len(self):,} events>"


def event_data(raw: bytes) -> str:
    """The data of an event, read from its bytes: a server-sent event's, or the payload of an AWS frame.

    A frame begins with its own length, and no line of a server-sent event with the zero byte of that.
    Source of the frame: AWS, "Event stream encoding".
    """
    if raw[:1] == b"\0" and len(raw) >= _FRAME and int.from_bytes(raw[:4], "big") == len(raw):
        headers = int.from_bytes(raw[4:8], "big")
        return raw[_FRAME - 4 + headers : -4].decode("utf-8", "replace")
    return sse_data(raw)


def sse_data(raw: bytes) -> str:
    """The data of an event, read from its bytes as the standard has it: its data lines, joined.

    Source: HTML Living Standard, "Server-sent events", section "Interpreting an event stream".
    """
    # An event that the server wrote as usual is one line of data, maybe below the line with its name.
    at = 0 if raw.startswith(b"data: ") else raw.find(b"\ndata: ") + 1
    if (
        raw.startswith(b"data: ", at)
        and (end := raw.find(b"\n", at)) == len(raw) - 2
        and raw[end:] == b"\n\n"
    ):
        head = raw[:at]
        if b"\r" not in raw and (not head or (head.startswith(b"event:") and head.count(b"\n") == 1)):
            return raw[at + 6 : end].decode("utf-8", "replace")
    lines: list[bytes] = []
    for line in _LINE_END.split(raw):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines).decode("utf-8", "replace")
