"""The two tables of the inspector as row sources: exchanges, and the events of one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui.core.exchange import Exchange, SseRecord
from tui.core.text import visible_line
from tui.widgets import figures
from tui.widgets.inspection.pages import OUTCOME_MARKS
from tui.widgets.rows import Mark, Row, fit, row

__all__ = ["EventTable", "ExchangeTable", "event_preview"]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its title, its least and most width, and in which order columns get room (0 first)."""

    key: str
    title: str
    least: int
    most: int
    rank: int
    right: bool = False


_EXCHANGE_COLUMNS: Final = (
    _Column("number", "#", 4, 5, 0, right=True),
    _Column("sign", " ", 1, 1, 0),
    _Column("outcome", "outcome", 10, 10, 8),
    _Column("status", "stat", 4, 4, 0),
    _Column("request", "request", 15, 30, 0),
    _Column("model", "model", 14, 26, 7),
    _Column("first", "first", 6, 7, 2, right=True),
    _Column("time", "time", 8, 8, 1, right=True),
    _Column("up", "↑ sent", 6, 7, 4, right=True),
    _Column("down", "↓ got", 6, 7, 3, right=True),
    _Column("tokens", "tokens", 12, 34, 5),
)
_EVENT_COLUMNS: Final = (
    _Column("offset", "ms", 9, 9, 0, right=True),
    _Column("gap", "gap", 8, 8, 1, right=True),
    _Column("type", "event", 21, 38, 0),
    _Column("size", "size", 7, 7, 2, right=True),
    _Column("preview", "", 24, 10_000, 3),
)
_GAP: Final = 2


@lru_cache(maxsize=64)
def _layout(columns: tuple[_Column, ...], width: int) -> tuple[tuple[_Column, int], ...]:
    """The columns that fit into `width` and how wide each is; left-over room goes to the first to take it."""
    chosen: set[str] = set()
    used = 1
    for column in sorted(columns, key=lambda column: column.rank):
        need = column.least + (_GAP if chosen else 0)
        if used + need <= width or column.rank == 0:
            chosen.add(column.key)
            used += need
        else:
            break
    widths: dict[str, int] = {}
    for column in columns:
        if column.key in chosen:
            extra = max(0, min(column.most - column.least, width - used))
            widths[column.key] = column.least + extra
            used += extra
    return tuple((column, widths[column.key]) for column in columns if column.key in chosen)


def _table_row(layout: tuple[tuple[_Column, int], ...], cells: dict[str, tuple[str, Mark | None]]) -> Row:
    parts: list[str | tuple[str, Mark]] = [" "]
    for number, (column, width) in enumerate(layout):
        text, mark = cells[column.key]
        shown = fit(visible_line(text), width, right=column.right)
        if number:
            parts.append(" " * _GAP)
        parts.append(shown if mark is None else (shown, mark))
    return row(*parts)


def _titles(columns: tuple[_Column, ...], width: int) -> Row:
    layout = _layout(columns, width)
    return _table_row(layout, {column.key: (column.title, "dim") for column in columns})


class ExchangeTable:
    """Exchanges as rows, one for each attempt."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = exchanges
        self._received: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        """How many exchanges."""
        return len(self.exchanges)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return _titles(_EXCHANGE_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The exchange at `index`."""
        exchange = self.exchanges[index]
        sign, outcome, mark = OUTCOME_MARKS[exchange.outcome]
        status_mark: Mark = (
            "dim" if exchange.status is None else "error" if exchange.status >= 400 else "success"
        )
        timings = exchange.timings
        cells: dict[str, tuple[str, Mark | None]] = {
            "number": (f"{exchange.number}.{exchange.attempt}", "dim"),
            "sign": (sign, mark),
            "outcome": (outcome, mark),
            "status": (figures.UNKNOWN if exchange.status is None else str(exchange.status), status_mark),
            "request": (f"{exchange.method} {_short_path(exchange.url)}", None),
            "model": (exchange.model or figures.UNKNOWN, "key"),
            "first": (figures.seconds(timings.first_byte), None),
            "time": (figures.seconds(timings.ended), None),
            "up": (figures.size(len(exchange.request_body)), "dim"),
            "down": (figures.size(self._size_of(exchange)), "dim"),
            "tokens": (exchange.usage_line or figures.UNKNOWN, "number"),
        }
        return _table_row(_layout(_EXCHANGE_COLUMNS, width), cells)

    def _size_of(self, exchange: Exchange) -> int:
        """Bytes received so far; adds up only what came since it was last asked for."""
        seen, total = self._received.get(exchange.id, (0, 0))
        fresh = exchange.chunks[seen:]
        total += sum(len(chunk.data) for chunk in fresh)
        self._received[exchange.id] = (seen + len(fresh), total)
        return total


def _short_path(url: str) -> str:
    path = urlsplit(url).path
    for prefix in ("/openai/v1", "/v1"):
        if path.startswith(prefix + "/"):
            return path.removeprefix(prefix)
    return path or "/"


class EventTable:
    """The server-sent events of an exchange as rows; grows with it."""

    def __init__(self, events: Sequence[SseRecord], limit: int) -> None:
        self._events = events
        self._limit = limit

    def __len__(self) -> int:
        """How many events have come."""
        return len(self._events)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return _titles(_EVENT_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The event at `index`; only this one is looked into."""
        record = self._events[index]
        gap = record.offset - self._events[index - 1].offset if index else 0.0
        size = record.end - record.start
        cells: dict[str, tuple[str, Mark | None]] = {
            "offset": (f"{record.offset * 1000:,.0f}", "number"),
            "gap": (f"+{gap * 1000:,.0f}", "warning" if gap >= 1 else "dim"),
            "type": (record.type.removeprefix("response.") or "no type", _type_mark(record.type)),
            "size": (figures.size(size), "dim"),
            "preview": (event_preview(record, min(width, self._limit or width)), None),
        }
        return _table_row(_layout(_EVENT_COLUMNS, width), cells)


def _type_mark(kind: str) -> Mark | None:
    if kind in ("error", "response.failed"):
        return "error"
    if kind.endswith(".delta"):
        return "key"
    return "accent"


_LOOK_INTO: Final = 8192


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
    for key in ("text", "message", "arguments"):
        if isinstance(event.get(key), str):
            return cast("str", event[key])
    return data
