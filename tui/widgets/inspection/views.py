"""What each tab shows, made off the event loop from an exchange."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tui.core.cache_analysis import CacheReport
from tui.core.continuation import LeftOut
from tui.core.exchange import Chunk, Exchange
from tui.core.json_values import beginning_of
from tui.widgets.inspection.cache import cache_rows, tinted_paths
from tui.widgets.inspection.comparison import byte_rows, change_rows, pair_rows
from tui.widgets.inspection.found import PageRows, PlainRows
from tui.widgets.inspection.json_tree import JsonTree
from tui.widgets.inspection.pages import (
    body_title,
    event_head,
    request_head,
    response_body,
    response_head,
)
from tui.widgets.inspection.raw_bytes import RawBytes
from tui.widgets.inspection.shape import shape_rows
from tui.widgets.rows import Row, RowList, row, wrap

__all__ = ["FORMS", "Asked", "Tab", "count_files", "first_page", "make_page"]


class Tab(IntEnum):
    """The tabs, in their order."""

    SHAPE = 0
    REQUEST = 1
    STREAM = 2
    RESPONSE = 3
    DIFF = 4
    CACHE = 5


FORMS: Final[dict[Tab, tuple[str, ...]]] = {
    Tab.SHAPE: ("summary",),
    Tab.REQUEST: ("tree", "raw bytes"),
    Tab.STREAM: ("events", "raw bytes"),
    Tab.RESPONSE: ("tree", "raw bytes"),
    Tab.DIFF: ("structure", "bytes", "side by side"),
    Tab.CACHE: ("tree", "raw bytes"),
}
"""The forms in which a tab shows what it shows; a key goes from one to the next."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown.

    Attributes:
        exchange: The exchange.
        tab: The tab.
        form: Which of the tab's `FORMS`.
        width: Cells.
        limit: Most characters of one text; 0 for all.
        event: With `Tab.STREAM`, the event, counted from 0; -1 for none.
        against: What it is compared with; `None` when there is nothing.
        left_out: Items of the conversation that were not sent.
        explain: Makes the report of the cache.
    """

    exchange: Exchange
    tab: Tab
    form: int
    width: int
    limit: int
    event: int = -1
    against: Exchange | None = None
    left_out: Sequence[LeftOut] = ()
    explain: Callable[[Exchange], tuple[CacheReport | None, Exchange | None]] | None = None


def make_page(asked: Asked) -> PageRows:
    """Make what a tab shows; parses and compares, so call it off the event loop."""
    return _MAKERS[asked.tab](asked)


def first_page(asked: Asked) -> PageRows | None:
    """The beginning of a tab that takes its time to be made; `None` for one that is there at once."""
    if (asked.tab, asked.form) != (Tab.REQUEST, 0):
        return None
    exchange = asked.exchange
    text = beginning_of(exchange.sent.outline.text, _FIRST)
    if not text:
        return None
    title = row(("Body", "heading"), ("  its beginning; the rest is being read …", "dim"))
    return JsonTree(text, [*request_head(exchange), title], asked.width, asked.limit)


def count_files(asked: Asked) -> bool:
    """Find the digests of the large files that a page names, off the event loop; whether some are new."""
    if (asked.tab, asked.form) not in _NAMES_FILES:
        return False
    bodies = [asked.exchange, asked.against] if asked.tab is Tab.DIFF else [asked.exchange]
    return any([one.sent.count_files() for one in bodies if one is not None])


def _plain(asked: Asked, rows: Sequence[Row]) -> PageRows:
    return PlainRows(RowList(wrap(rows, asked.width)))


def _shape(asked: Asked) -> PageRows:
    exchange = asked.exchange
    head: list[Row] = []
    if exchange.note or exchange.bookmarked:
        head = [row(("★ " if exchange.bookmarked else "✎ ", "warning"), exchange.note, hang=2), Row("")]
    return _plain(asked, [*head, *shape_rows(exchange, asked.left_out, asked.limit)])


def _request(asked: Asked) -> PageRows:
    exchange = asked.exchange
    size = len(exchange.sent)
    head = [*request_head(exchange), body_title(size, raw=asked.form == 1)]
    if asked.form == 1 or not size:
        return RawBytes([Chunk(0.0, exchange.request_body)] if size else [], head, asked.width)
    return JsonTree(exchange.sent.outline.text, head, asked.width, asked.limit)


def _stream(asked: Asked) -> PageRows:
    exchange = asked.exchange
    if asked.form == 1:
        return RawBytes(exchange.chunks, [], asked.width, times=True)
    if not 0 <= asked.event < len(exchange.events):
        words = (
            "No event yet."
            if exchange.outcome is None
            else "This response was not streamed, or no event came."
        )
        return _plain(asked, [row((words, "dim"))])
    record = exchange.events[asked.event]
    return JsonTree(record.data, [event_head(record, asked.event + 1)], asked.width, asked.limit)


def _response(asked: Asked) -> PageRows:
    exchange = asked.exchange
    head = response_head(exchange)
    if asked.form == 1:
        size = sum(len(chunk.data) for chunk in exchange.chunks)
        title = body_title(size, raw=True, nothing="No body yet.")
        return RawBytes(exchange.chunks, [*head, title], asked.width)
    if exchange.status is None:
        return _plain(asked, head)
    title, text = response_body(exchange)
    return JsonTree(text, [*head, title], asked.width, asked.limit) if text else _plain(asked, [*head, title])


def _diff(asked: Asked) -> PageRows:
    old, new = asked.against, asked.exchange
    if old is None:
        words = "There is no earlier request to compare with; mark any other one to choose it."
        return _plain(asked, [row((words, "dim"), words=True)])
    if asked.form == 2:
        return PlainRows(RowList(pair_rows(old, new, asked.width, asked.limit)))
    return _plain(asked, change_rows(old, new) if asked.form == 0 else byte_rows(old, new))


def _cache(asked: Asked) -> PageRows:
    exchange = asked.exchange
    report, previous = asked.explain(exchange) if asked.explain else (None, None)
    if report is None:
        words = "This is no request for a response, so there is nothing for the prompt cache to do."
        return _plain(asked, [row((words, "dim"), words=True)])
    head = [*cache_rows(report, previous, asked.width), body_title(len(exchange.sent), raw=False)]
    if asked.form == 1:
        chunks = [Chunk(0.0, exchange.request_body)]
        return RawBytes(chunks, head, asked.width, tinted=report.prefix.ranges)
    tinted = tinted_paths(exchange.sent.outline, report)
    return JsonTree(exchange.sent.outline.text, head, asked.width, asked.limit, tinted=tinted)


_FIRST: Final = 30_000
"""Characters of a large body that are shown while the rest is read."""

_NAMES_FILES: Final = frozenset(
    {(tab, 0) for tab in (Tab.SHAPE, Tab.REQUEST, Tab.DIFF, Tab.CACHE)} | {(Tab.DIFF, 2)}
)

_MAKERS: Final[dict[Tab, Callable[[Asked], PageRows]]] = {
    Tab.SHAPE: _shape,
    Tab.REQUEST: _request,
    Tab.STREAM: _stream,
    Tab.RESPONSE: _response,
    Tab.DIFF: _diff,
    Tab.CACHE: _cache,
}
