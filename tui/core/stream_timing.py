"""How an answer came in: a row for each event, rates, and the phases of the exchange for a timeline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import sub
from typing import Any, Final, cast

from tui.core.answer import usage_of
from tui.core.exchange import Exchange, SseRecord

__all__ = ["Phase", "StreamRates", "StreamRow", "event_preview", "phases_of", "rates_of", "stream_row"]

_LOOK_INTO: Final = 8192
_ADDED: Final = "response.output_item.added"
_DONE: Final = "response.output_item.done"
_NEW: Final = frozenset({"content", "text", "refusal", "name", "arguments", "input"})


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One server-sent event in a list.

    Attributes:
        number: Counted from 1.
        offset: Seconds since the exchange began.
        gap: Seconds since the event before it; 0 for the first.
        type: As the server called it; empty where it did not.
        size: Bytes on the wire, the blank line included.
        preview: What is new in it, in one line.
    """

    number: int
    offset: float
    gap: float
    type: str
    size: int
    preview: str


def stream_row(events: Sequence[SseRecord], index: int, limit: int) -> StreamRow:
    """The row of one event; only this one is looked into.

    Args:
        events: Those of an exchange.
        index: Counted from 0.
        limit: Most characters of the preview.
    """
    record = events[index]
    gap = record.offset - events[index - 1].offset if index else 0.0
    size = record.end - record.start
    return StreamRow(index + 1, record.offset, gap, record.type, size, event_preview(record, limit))


def event_preview(record: SseRecord, limit: int) -> str:
    """What is new in an event, in one line: a delta's text, an item's type, else how its data begins."""
    if len(record.data) > _LOOK_INTO:
        return record.data[:limit]
    try:
        event: object = json.loads(record.data)
    except (ValueError, RecursionError):
        return record.data[:limit]
    if not isinstance(event, dict):
        return record.data[:limit]
    return _told(cast("dict[str, Any]", event), record.data)[:limit]


def _told(event: dict[str, Any], data: str) -> str:
    if isinstance(event.get("delta"), str):
        return cast("str", event["delta"])
    item: object = event.get("item")
    if isinstance(item, dict):
        entry = cast("dict[str, Any]", item)
        return f"{entry.get('type', '')}  {entry.get('id', '')}".strip()
    response: object = event.get("response")
    if isinstance(response, dict):
        entry = cast("dict[str, Any]", response)
        return f"{entry.get('status', '')}  {entry.get('id', '')}".strip()
    for key in ("text", "message", "arguments", "stopReason"):
        if isinstance(event.get(key), str):
            return cast("str", event[key])
    return _told_by_others(event) or data


def _told_by_others(event: dict[str, Any]) -> str:
    """What is new in a chunk of Chat Completions, or a frame of ConverseStream."""
    choices: object = event.get("choices")
    choice: object = cast("list[object]", choices)[0] if isinstance(choices, list) and choices else None
    chosen = cast("dict[str, Any]", choice) if isinstance(choice, dict) else event
    # A delta has one text somewhere in it; a role, an id or an index beside it is nothing new.
    texts = list(_texts(chosen.get("delta") or chosen.get("start")))
    return "".join(texts) or str(chosen.get("finish_reason") or "")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from _texts(entry)
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            if isinstance(inner, str) and name in _NEW:
                yield inner
            elif not isinstance(inner, str):
                yield from _texts(inner)


@dataclass(frozen=True, slots=True)
class StreamRates:
    """How fast a stream was; `None` is what cannot be told.

    Attributes:
        events: How many came.
        seconds: From the first event to the last.
        events_per_second: Over that time.
        output_tokens: As the server counted them, reasoning included.
        tokens_per_second: Output tokens over the same time; all of them, also those that no event showed.
        longest_gap: Seconds between the two neighbouring events that lie furthest apart.
        gap_before: The number, counted from 1, of the event that came after that gap.
    """

    events: int
    seconds: float | None = None
    events_per_second: float | None = None
    output_tokens: int | None = None
    tokens_per_second: float | None = None
    longest_gap: float | None = None
    gap_before: int | None = None


def rates_of(exchange: Exchange) -> StreamRates:
    """The rates of an exchange, running or ended."""
    events = exchange.events
    usage = usage_of(exchange)
    tokens = None if usage is None else usage.output_tokens
    if len(events) < 2:
        return StreamRates(len(events), output_tokens=tokens)
    offsets = events.offsets
    gaps = list(map(sub, islice(offsets, 1, None), offsets))
    gap = max(gaps)
    before = gaps.index(gap) + 2
    seconds = offsets[-1] - offsets[0]
    if seconds <= 0:
        return StreamRates(len(events), 0.0, None, tokens, None, gap, before)
    # The first event opens the time that is measured, so it does not count into it.
    per_second = (len(offsets) - 1) / seconds
    speed = None if tokens is None else tokens / seconds
    return StreamRates(len(events), seconds, per_second, tokens, speed, gap, before)


@dataclass(frozen=True, slots=True)
class Phase:
    """A bar of the timeline, or a moment where it begins and ends at once.

    Attributes:
        name: `connect`, `TLS`, `send`, `wait`, `headers to body`, `receive`, `first text`, `end`, or what
            an output item is.
        start: Seconds since the exchange began.
        end: Seconds; `None` while it goes on.
    """

    name: str
    start: float
    end: float | None


def phases_of(exchange: Exchange) -> list[Phase]:
    """The timeline: the phases of the request in their order, then first text, each output item, the end.

    What is not known is left out: a connection that was open already has no `connect`, and one without TLS
    no `TLS`. In a running exchange the last phase goes on.
    """
    t = exchange.timings
    rows: list[Phase] = []
    start = 0.0
    steps = (
        ("connect", t.connected),
        ("TLS", t.secured),
        ("send", t.request_sent),
        ("wait", t.headers),
        ("headers to body", t.first_byte),
    )
    for name, moment in steps:
        if moment is not None:
            rows.append(Phase(name, start, moment))
            start = moment
    if t.first_byte is not None:
        rows.append(Phase("receive", t.first_byte, t.ended))
    else:
        rows.append(Phase("wait" if t.headers is None else "headers to body", start, t.ended))
    if t.first_text is not None:
        rows.append(Phase("first text", t.first_text, t.first_text))
    rows.extend(_items(exchange))
    if t.ended is not None:
        rows.append(Phase("end", t.ended, t.ended))
    return rows


def _items(exchange: Exchange) -> list[Phase]:
    """A phase for each output item, from its first event to its last."""
    began: dict[int, tuple[str, float]] = {}
    ended: dict[int, float] = {}
    # A stream of a hundred thousand deltas has a handful of these.
    for record in exchange.events.of_types(_ADDED, _DONE):
        index, kind = _item_of(record)
        began.setdefault(index, (kind, record.offset))
        if record.type == _DONE:
            ended[index] = record.offset
    last = exchange.timings.ended
    return [Phase(kind, offset, ended.get(index, last)) for index, (kind, offset) in sorted(began.items())]


def _item_of(record: SseRecord) -> tuple[int, str]:
    try:
        event: object = json.loads(record.data)
    except (ValueError, RecursionError):
        return -1, "item"
    fields = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    item: object = fields.get("item")
    kind = str(cast("dict[str, Any]", item).get("type") or "item") if isinstance(item, dict) else "item"
    index: object = fields.get("output_index")
    return (index if isinstance(index, int) else -1), kind
