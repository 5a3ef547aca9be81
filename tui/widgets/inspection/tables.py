"""The two tables of the inspector as row sources: exchanges, and the events of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from tui.core import figures
from tui.core.exchange import Exchange, SseRecord
from tui.core.stream_timing import stream_row
from tui.widgets.columns import Column, layout, table_row, titles_row
from tui.widgets.inspection.pages import OUTCOME_MARKS
from tui.widgets.rows import Mark, Row

__all__ = ["EventTable", "ExchangeTable"]


_EXCHANGE_COLUMNS: Final = (
    Column("number", "#", 4, 5, 0, right=True),
    Column("sign", " ", 2, 2, 0),
    Column("outcome", "outcome", 10, 10, 8),
    Column("status", "stat", 4, 4, 0),
    Column("request", "request", 15, 30, 0),
    Column("model", "model", 14, 26, 7),
    Column("first", "first", 6, 7, 2, right=True),
    Column("time", "time", 8, 8, 1, right=True),
    Column("up", "↑ sent", 6, 7, 4, right=True),
    Column("down", "↓ got", 6, 7, 3, right=True),
    Column("tokens", "tokens", 11, 34, 5),
)
_EVENT_COLUMNS: Final = (
    Column("offset", "ms", 8, 9, 0, right=True),
    Column("gap", "gap", 6, 8, 2, right=True),
    Column("type", "event", 21, 29, 0),
    Column("size", "size", 6, 7, 3, right=True),
    Column("preview", "preview", 16, 10_000, 1),
)


class ExchangeTable:
    """Exchanges as rows, one for each attempt."""

    def __init__(self, exchanges: Sequence[Exchange], marked: str = "") -> None:
        self.exchanges = exchanges
        self._marked = marked

    def __len__(self) -> int:
        """How many exchanges."""
        return len(self.exchanges)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return titles_row(_EXCHANGE_COLUMNS, width)

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
            "sign": (_flag(exchange, self._marked) + sign, mark),
            "outcome": (outcome, mark),
            "status": (figures.UNKNOWN if exchange.status is None else str(exchange.status), status_mark),
            "request": (f"{exchange.method} {_short_path(exchange.url)}", None),
            "model": (exchange.model or figures.UNKNOWN, "key"),
            "first": (figures.seconds(timings.first_byte), None),
            "time": (figures.seconds(timings.ended or _so_far(exchange)), None),
            "up": (figures.size(len(exchange.sent)), "dim"),
            "down": (figures.size(exchange.chunks.size), "dim"),
            "tokens": (_tokens(exchange), "number"),
        }
        return table_row(layout(_EXCHANGE_COLUMNS, width), cells)


def _flag(exchange: Exchange, marked: str) -> str:
    """Chosen for comparing, bookmarked, or with a note."""
    if exchange.id == marked:
        return "◆"
    return "★" if exchange.bookmarked else "✎" if exchange.note else " "


def _tokens(exchange: Exchange) -> str:
    """Input and output; the words of the line give way to an arrow."""
    words = exchange.usage_line.replace(" in · ", "→").replace(" → ", "→")
    return words.removesuffix(" out") or figures.UNKNOWN


def _so_far(exchange: Exchange) -> float | None:
    return exchange.chunks[-1].offset if exchange.outcome is None and len(exchange.chunks) else None


def _short_path(url: str) -> str:
    """What is asked for: the path without what the base URL has of it, or the model, which has a column."""
    path = urlsplit(url).path
    for base in ("/v1/", "/model/"):
        _, found, rest = path.rpartition(base)
        if found:
            return "/" + (rest if base == "/v1/" else rest.partition("/")[2])
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
        return titles_row(_EVENT_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The event at `index`; only this one is looked into."""
        event = stream_row(self._events, index, min(width, self._limit or width))
        cells: dict[str, tuple[str, Mark | None]] = {
            "offset": (f"{event.offset * 1000:,.0f}", "number"),
            "gap": (f"+{event.gap * 1000:,.0f}", "warning" if event.gap >= 1 else "dim"),
            "type": (event.type.removeprefix("response.") or "no type", _type_mark(event.type)),
            "size": (figures.size(event.size), "dim"),
            "preview": (event.preview, None),
        }
        return table_row(layout(_EVENT_COLUMNS, width), cells)


def _type_mark(kind: str) -> Mark | None:
    if kind in ("error", "response.failed"):
        return "error"
    if kind.endswith(".delta"):
        return "key"
    return "accent"
