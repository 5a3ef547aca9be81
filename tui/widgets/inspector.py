"""The request inspector: every attempt of a conversation, as it was on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tui.core import figures
from tui.core.continuation import LeftOut
from tui.core.exchange import Exchange
from tui.widgets.columns import TableTitles
from tui.widgets.inspection.pages import (
    decoded,
    event_rows,
    headers_text,
    request_rows,
    response_rows,
    response_text,
)
from tui.widgets.inspection.shape import shape_rows
from tui.widgets.inspection.tab_strip import TabStrip
from tui.widgets.inspection.tables import EventTable, ExchangeTable
from tui.widgets.rows import Row, RowList, row, wrap
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["Inspector"]

SHAPE, REQUEST, RESPONSE, EVENTS = range(4)
_TITLES: Final = ("Shape", "Request", "Response", "Events")
_HINT: Final = (
    "←→ tab   p n exchange   r raw   c copy   h copy headers   Esc close\n"
    "←→ tab  r raw  c copy  h headers  Esc close\n"
    "r raw  c copy  Esc close\n"
    "Esc close"
)
_LONG_WORK: Final = 1_000_000
"""Bytes above which a page says that it is being made."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Which page is shown: made again only when this changes."""

    exchange: str
    tab: int
    event: int
    raw: bool
    width: int
    state: tuple[object, ...]

    def same_place(self, other: _Page | None) -> bool:
        """Whether `other` is an older state of the same page."""
        return other is not None and (self.exchange, self.tab, self.event, self.raw) == (
            other.exchange,
            other.tab,
            other.event,
            other.raw,
        )


class Inspector(Widget):
    """A list of exchanges, and tabs for the one under the cursor.

    Give it the live exchanges with `show_exchanges`, and call `refresh_live` when they may have changed (a
    few times a second is plenty). Works in a side panel and as a full screen; columns come and go with
    the width.

    Attributes:
        max_display_chars: Characters of one string that are shown; copying always gives all. 0 is no limit.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left,left_square_bracket", "tab_by(-1)", "Previous tab", show=False, id="inspector.tab_before"
        ),
        Binding("right,right_square_bracket", "tab_by(1)", "Next tab", show=False, id="inspector.tab_after"),
        Binding("1", "tab(0)", "Shape", show=False, id="inspector.shape"),
        Binding("2", "tab(1)", "Request", show=False, id="inspector.request"),
        Binding("3", "tab(2)", "Response", show=False, id="inspector.response"),
        Binding("4", "tab(3)", "Events", show=False, id="inspector.events"),
        Binding("n", "exchange_by(1)", "Next exchange", show=False, id="inspector.exchange_after"),
        Binding("p", "exchange_by(-1)", "Previous exchange", show=False, id="inspector.exchange_before"),
        Binding("r", "raw", "Raw bytes", show=False, id="inspector.raw"),
        Binding("c,y", "copy", "Copy", show=False, id="inspector.copy"),
        Binding("h", "copy_headers", "Copy headers", show=False, id="inspector.copy_headers"),
        Binding("escape", "close", "Close", show=False, id="inspector.close"),
    ]
    DEFAULT_CSS = """
    Inspector {
        layout: vertical;
        background: $surface;
        & #inspector-exchanges { height: 4; background: $surface; }
        & #inspector-events { height: 1fr; min-height: 3; background: $surface; }
        & #inspector-page { height: 1fr; min-height: 3; padding: 0 0 0 1; background: $surface; }
        & #inspector-event-list { height: 1fr; display: none; }
        &.-events #inspector-event-list { display: block; }
        &.-events #inspector-page { border-top: solid $panel; }
        & #inspector-page:focus { background: $surface-lighten-1; }
    }
    """

    class Closed(Message):
        """The user is done with the inspector."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.max_display_chars = 4000
        self._exchanges: Sequence[Exchange] = ()
        self._left_out: Mapping[str, Sequence[LeftOut]] = {}
        self._tab = SHAPE
        self._raw = False
        self._shown: _Page | None = None
        self._events_of: str | None = None
        self._table = ExchangeTable(())
        self._exchange_titles = TableTitles(ExchangeTable.titles)
        self._exchange_list = VirtualLines(self._table, cursor=True, id="inspector-exchanges")
        self._strip = TabStrip(_TITLES, id="inspector-tabs")
        self._event_titles = TableTitles(EventTable.titles)
        self._event_list = VirtualLines(cursor=True, id="inspector-events")
        self._page = VirtualLines(id="inspector-page")

    def compose(self) -> ComposeResult:
        """List, tabs, events, page."""
        yield self._exchange_titles
        yield self._exchange_list
        yield self._strip
        with Vertical(id="inspector-event-list"):
            yield self._event_titles
            yield self._event_list
        yield self._page

    def on_mount(self) -> None:
        """Show what was given before."""
        self._strip.hint = _HINT
        self._apply()

    # What is shown.

    @property
    def selected(self) -> Exchange | None:
        """The exchange under the cursor."""
        index = self._exchange_list.cursor
        return self._exchanges[index] if index is not None and index < len(self._exchanges) else None

    def show_exchanges(
        self, exchanges: Sequence[Exchange], left_out: Mapping[str, Sequence[LeftOut]] | None = None
    ) -> None:
        """Show a conversation's exchanges, oldest first; call it again when there is a new one.

        The cursor stays on its exchange, or follows the newest when it was on the newest.

        Args:
            exchanges: The recorder's own, live objects.
            left_out: Items a request left out, by the exchange's id.
        """
        before = self.selected
        followed = before is None or before is self._exchanges[-1]
        self._exchanges = list(exchanges)
        self._left_out = left_out or {}
        self._table = ExchangeTable(self._exchanges)
        index = len(self._exchanges) - 1
        if not followed:
            ids = [exchange.id for exchange in self._exchanges]
            index = ids.index(before.id) if before is not None and before.id in ids else index
        self._exchange_list.show(self._table, cursor=index)
        self._apply()

    def refresh_live(self) -> None:
        """The exchanges may have changed: draw what is new."""
        if self.is_mounted:
            self._exchange_list.grown()
            self._event_list.grown()
            self._prepare()

    def focus(self, scroll_visible: bool = True) -> Inspector:
        """Focus the list of exchanges."""
        self._exchange_list.focus(scroll_visible)
        return self

    def show_tab(self, tab: int) -> None:
        """Show one of the tabs: 0 shape, 1 request, 2 response, 3 events."""
        self._tab = tab % len(_TITLES)
        self._apply()

    def _apply(self) -> None:
        if not self.is_mounted:
            return
        self._exchange_list.styles.height = max(3, min(len(self._exchanges), max(4, self.size.height // 4)))
        self._strip.active = self._tab
        exchange = self.selected
        in_events = self._tab == EVENTS and exchange is not None
        had_focus = self._event_list.has_focus
        self.set_class(in_events, "-events")
        if had_focus and not in_events:
            self._exchange_list.focus()
        if exchange is not None and self._events_of != exchange.id:
            self._events_of = exchange.id
            self._event_list.show(EventTable(exchange.events, self.max_display_chars))
        self._prepare()

    def _prepare(self) -> None:
        """Make the page again if it would look different; off the loop, as a body may be large."""
        exchange = self.selected
        if exchange is None:
            self._shown = None
            self._page.show(RowList(wrap(_NOTHING_YET, self._width)))
            return
        wanted = self._wanted(exchange)
        if wanted == self._shown or wanted.width <= 0:
            return
        fresh = not wanted.same_place(self._shown)
        self._shown = wanted
        if fresh and len(exchange.request_body) > _LONG_WORK:
            self._page.show(RowList([row(("Reading …", "dim"))]))
        make = self._maker(exchange, wanted)
        # Named, because Textual calls a worker by its repr otherwise, and that would write out every byte.
        self.run_worker(
            partial(self._make, make, wanted, fresh),
            name="page",
            description="makes the inspector's page",
            group="inspector-page",
            exclusive=True,
        )

    @property
    def _width(self) -> int:
        return self._page.scrollable_content_region.width

    def _wanted(self, exchange: Exchange) -> _Page:
        event = self._event_list.cursor if self._tab == EVENTS else None
        state: tuple[object, ...] = ()
        if self._tab in (RESPONSE, EVENTS):
            state = (exchange.status, exchange.outcome, exchange.error, len(exchange.response_headers))
        if self._tab == EVENTS:
            state = (exchange.outcome is None,) if event is None else ()
        return _Page(exchange.id, self._tab, -1 if event is None else event, self._raw, self._width, state)

    def _maker(self, exchange: Exchange, page: _Page) -> Callable[[], list[Row]]:
        limit = self.max_display_chars
        if page.tab == SHAPE:
            return partial(shape_rows, exchange, self._left_out.get(exchange.id, ()), limit)
        if page.tab == REQUEST:
            return partial(request_rows, exchange, raw=page.raw, limit=limit)
        if page.tab == RESPONSE:
            return partial(response_rows, exchange, raw=page.raw, limit=limit)
        if page.event < 0:
            text = (
                "No event yet."
                if exchange.outcome is None
                else "This response was not streamed, or no event came."
            )
            return partial(list[Row], [row((text, "dim"))])
        return partial(_event_page, exchange, page.event, page.raw, limit)

    async def _make(self, make: Callable[[], list[Row]], page: _Page, fresh: bool) -> None:
        rows = await asyncio.to_thread(lambda: wrap(make(), page.width))
        if self._shown == page:
            source = RowList(rows)
            if fresh:
                self._page.show(source)
            else:
                self._page.replace(source)

    def on_resize(self) -> None:
        """Rows are wrapped for the width; what was prepared for another is made again."""
        self.call_after_refresh(self._apply)

    # What the user does.

    @on(VirtualLines.Highlighted, "#inspector-exchanges")
    def _select_exchange(self) -> None:
        self._apply()

    @on(VirtualLines.Highlighted, "#inspector-events")
    def _select_event(self) -> None:
        self._prepare()

    @on(VirtualLines.Chosen, "#inspector-exchanges")
    def _enter_exchange(self) -> None:
        self._apply()
        (self._event_list if self._tab == EVENTS else self._page).focus()

    @on(VirtualLines.Chosen, "#inspector-events")
    def _enter_event(self) -> None:
        self._page.focus()

    @on(TabStrip.Activated)
    def _tab_clicked(self, event: TabStrip.Activated) -> None:
        event.stop()
        self.show_tab(event.index)

    def action_tab(self, tab: int) -> None:
        """Show a tab."""
        self.show_tab(tab)

    def action_tab_by(self, step: int) -> None:
        """Show the next tab or the one before."""
        self.show_tab(self._tab + step)

    def action_exchange_by(self, step: int) -> None:
        """Go to the next exchange or the one before."""
        if self._exchange_list.cursor is not None:
            self._exchange_list.move_cursor(self._exchange_list.cursor + step)

    def action_raw(self) -> None:
        """Show the bytes as they were, or the readable form again."""
        self._raw = not self._raw
        self._prepare()

    def action_copy(self) -> None:
        """Copy all of what the tab shows a view of: the body, the response, the event, the summary."""
        exchange = self.selected
        if exchange is None:
            return
        event = self._event_list.cursor
        if self._tab == EVENTS and event is not None:
            self._copy(f"event {event + 1}", exchange.events[event].data)
        elif self._tab == REQUEST:
            self._copy("the request's body", decoded(exchange.request_body))
        elif self._tab == RESPONSE:
            self._copy("the response", response_text(exchange))
        else:
            rows = shape_rows(exchange, self._left_out.get(exchange.id, ()), self.max_display_chars)
            self._copy("the summary", "\n".join(line.text for line in rows))

    def action_copy_headers(self) -> None:
        """Copy the response's headers on the tabs Response and Events, else the request's."""
        exchange = self.selected
        if exchange is not None:
            of_response = self._tab in (RESPONSE, EVENTS)
            headers = exchange.response_headers if of_response else exchange.request_headers
            self._copy(f"the {'response' if of_response else 'request'}'s headers", headers_text(headers))

    def _copy(self, what: str, text: str) -> None:
        if text:
            cast("Any", self).app.copy_to_clipboard(text)
            self.notify(f"Copied {what}, {figures.size(len(text.encode('utf-8', 'replace')))}.", markup=False)
        else:
            self.notify(f"There is nothing to copy: {what} is empty.", severity="warning", markup=False)

    def action_close(self) -> None:
        """Say that the user is done."""
        self.post_message(self.Closed())


_NOTHING_YET: Final = [
    Row(""),
    row("No request has been sent in this conversation yet."),
    row(
        (
            "Send a message: every attempt is listed here as it was on the wire, headers and bytes included.",
            "dim",
        )
    ),
]


def _event_page(exchange: Exchange, index: int, raw: bool, limit: int) -> list[Row]:
    record = exchange.events[index]
    data = exchange.chunks.body(record.start, record.end) if raw else None
    return event_rows(record, index + 1, raw=data, limit=limit)
