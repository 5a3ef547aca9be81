"""What the inspector shows: the exchanges, and tabs of the one under the cursor, made off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget

from tui.core.cache_analysis import CacheReport, cache_report, previous_create
from tui.core.continuation import LeftOut
from tui.core.errors import OutcropError
from tui.core.exchange import Exchange
from tui.widgets.inspection.exchange_list import ExchangeList
from tui.widgets.inspection.found import PageRows, PlainRows
from tui.widgets.inspection.hints import hints_for
from tui.widgets.inspection.json_tree import JsonTree
from tui.widgets.inspection.lines import EntryLine, HintLine
from tui.widgets.inspection.page import PageLines
from tui.widgets.inspection.raw_bytes import RawBytes
from tui.widgets.inspection.stream_view import LOW, StreamView
from tui.widgets.inspection.tab_strip import TabStrip
from tui.widgets.inspection.views import Asked, Tab, count_files, first_page, make_page
from tui.widgets.rows import Row, RowList, row, wrap

__all__ = ["CurrentNode", "Explain", "InspectorPanel"]

_LONG_WORK: Final = 1_000_000
"""Bytes above which a page says that it is being made."""
_KEPT: Final = 6

Explain = Callable[[Exchange, Sequence[Exchange]], CacheReport | None]


@dataclass(frozen=True, slots=True)
class CurrentNode:
    """The value under the cursor of a tree.

    Attributes:
        value: As JSON in the body's own spelling; a text as it is, without quotes.
        path: Its JSONPath in the body, the response object or the event.
    """

    value: str
    path: str


@dataclass(frozen=True, slots=True)
class _Page:
    """Which page is shown: made again only when this changes."""

    exchange: str
    tab: Tab
    form: int
    event: int
    state: tuple[object, ...]
    width: int = 0

    @property
    def place(self) -> tuple[object, ...]:
        """What it is a page of, whatever its state."""
        return self.exchange, self.tab, self.form, self.event


class InspectorPanel(Widget):
    """A list of exchanges, and tabs for the one under the cursor.

    Give it the live exchanges with `show_exchanges`, and call `refresh_live` when they may have changed (a
    few times a second is plenty). Works in a side panel and as a full screen; columns come and go with
    the width.

    Attributes:
        max_display_chars: Characters of one string that are shown; copying always gives all. 0 is no limit.
        explain: Makes the report of the cache from an exchange and all of its conversation, in a thread.
        keep_note: Keeps a bookmark and a note of an exchange; `None` where nothing can.
    """

    DEFAULT_CSS = """
    InspectorPanel {
        layout: vertical;
        background: $surface;
        & #inspector-page { height: 1fr; min-height: 3; padding: 0 0 0 1; background: $surface; }
        & #inspector-page:focus { background: $surface-lighten-1; }
        &.-events #inspector-stream { display: block; }
        &.-events #inspector-page { border-top: solid $panel; }
        /* Who reads an event on a small screen needs the room more than the waterfall. */
        &.-events.-low.-reading #inspector-timeline { display: none; }
        &.-events.-low #inspector-stream { height: 2fr; }
        &.-events.-low.-reading #inspector-stream { height: 4; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.max_display_chars = 4000
        self.explain: Explain = cache_report
        self.keep_note: Callable[[Exchange, bool, str], None] | None = None
        self._left_out: Mapping[str, Sequence[LeftOut]] = {}
        self._tab = Tab.SHAPE
        self._forms: dict[Tab, int] = {}
        self._shown: _Page | None = None
        self._kept: dict[_Page, PageRows] = {}
        self._exchange_list = ExchangeList(id="inspector-list")
        self._strip = TabStrip([tab.name.capitalize() for tab in Tab], id="inspector-tabs")
        self._stream = StreamView(id="inspector-stream")
        self._page = PageLines(id="inspector-page")
        self._find = EntryLine("FIND", "words in this tab", id="inspector-find")
        self._note = EntryLine("NOTE", "what is worth remembering of this exchange", id="inspector-note")
        self._hints = HintLine(id="inspector-hints")
        self._noted: Exchange | None = None
        self._zoomed = False

    def compose(self) -> ComposeResult:
        """List, tabs, the stream's upper part, page, lines."""
        yield self._exchange_list
        yield self._strip
        yield self._stream
        yield self._page
        yield self._find
        yield self._note
        yield self._hints

    def on_mount(self) -> None:
        """Show what was given before."""
        self._stream.limit = self.max_display_chars
        self._apply()

    # For others.

    @property
    def current_exchange(self) -> Exchange | None:
        """The exchange under the cursor."""
        return self._exchange_list.selected

    selected = current_exchange

    @property
    def marked(self) -> Exchange | None:
        """The exchange that was marked for comparing."""
        return self._exchange_list.marked_exchange

    @property
    def current_node(self) -> CurrentNode | None:
        """The value under the cursor of the tree that is shown."""
        node, exchange = self._page.node, self.current_exchange
        if node is None or exchange is None:
            return None
        of_request = self._tab in (Tab.REQUEST, Tab.CACHE)
        return CurrentNode(exchange.sent.restored(node.text) if of_request else node.text, node.path)

    @property
    def against(self) -> Exchange | None:
        """What the exchange under the cursor is compared with: the marked one, else the one before it."""
        exchange, marked = self.current_exchange, self.marked
        if exchange is None or (marked is not None and marked is not exchange):
            return marked
        others = self._exchange_list.exchanges
        before = [other for other in others if other.number < exchange.number]
        return previous_create(exchange, others) or (before[-1] if before else None)

    def show_exchanges(
        self, exchanges: Sequence[Exchange], left_out: Mapping[str, Sequence[LeftOut]] | None = None
    ) -> None:
        """Show a conversation's exchanges, oldest first; call it again when there is a new one.

        The cursor stays on its exchange, or follows the newest when it was on the newest.

        Args:
            exchanges: The recorder's own, live objects.
            left_out: Items a request left out, by the exchange's id.
        """
        self._left_out = left_out or {}
        self._exchange_list.show(exchanges)
        self._apply()

    def refresh_live(self) -> None:
        """The exchanges may have changed: draw what is new."""
        if self.is_mounted:
            self._exchange_list.refresh_live()
            self._prepare()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the list of exchanges."""
        self._exchange_list.lines.focus(scroll_visible)
        return self

    def show_tab(self, tab: int) -> None:
        """Show one of the tabs, counted from 0 in the order of `Tab`."""
        self._tab = Tab(tab % len(Tab))
        self._apply()

    # What is shown.

    @property
    def _form(self) -> int:
        return self._forms.get(self._tab, 0)

    def _apply(self) -> None:
        if not self.is_mounted:
            return
        self._exchange_list.set_room(max(4, self.size.height // 4))
        self._strip.active = self._tab
        in_events = self._tab is Tab.STREAM and self._form == 0 and self.current_exchange is not None
        self.set_class(self.size.height < LOW, "-low")
        if in_events != self.has_class("-events"):
            self.set_class(in_events, "-events")
            if not in_events and (self._stream.lines.has_focus or self._stream.timeline.has_focus):
                self._page.focus()
            # The page has another size only after it was laid out again.
            self.call_after_refresh(self._prepare)
            return
        self._prepare()

    def _prepare(self) -> None:
        """Make the page again if it would look different; off the loop, as a body may be large."""
        exchange = self.current_exchange
        self._hints.show(hints_for(self._tab, self._form, filtered=bool(self._exchange_list.filter_text)))
        if exchange is None:
            self._shown = None
            nothing = _NO_HIT if self._exchange_list.exchanges else _NOTHING_YET
            self._page.show_rows(PlainRows(RowList(wrap(nothing, self._width))), fresh=True)
            return
        if self.has_class("-events"):
            self._stream.show(exchange, low=self.has_class("-low"))
        rows = self._page.rows
        if isinstance(rows, RawBytes) and self._tab is Tab.STREAM and rows.grown():
            self._page.grown()
        wanted = self._wanted(exchange)
        if wanted == self._shown or wanted.width <= 0:
            return
        fresh = self._shown is None or wanted.place != self._shown.place
        self._shown = wanted
        kept = self._kept.get(_without_width(wanted))
        if kept is not None:
            kept.rewrap(wanted.width)
            self._page.show_rows(kept, fresh=fresh)
            return
        if fresh and len(exchange.sent) > _LONG_WORK:
            self._page.show_rows(PlainRows(RowList([row(("Reading …", "dim"))])), fresh=True)
        # Named, because Textual calls a worker by its repr otherwise, and that would write out every byte.
        self.run_worker(
            self._make(self._asked(exchange, wanted), wanted, fresh),
            name="page",
            description="makes the inspector's page",
            group="inspector-page",
            exclusive=True,
        )

    @property
    def _width(self) -> int:
        # As if there was a scrollbar: it comes only when the rows are there, and they are wrapped before.
        return max(0, self._page.size.width - self._page.styles.padding.width - 1)

    def _wanted(self, exchange: Exchange) -> _Page:
        event = self._stream.lines.cursor if self.has_class("-events") else None
        running = exchange.outcome is None
        state: tuple[object, ...] = ()
        if self._tab is Tab.SHAPE:
            state = (exchange.bookmarked, exchange.note)
        elif self._tab is Tab.STREAM:
            # A list that grows makes a page of no event one; a raw view grows by itself.
            state = () if event is not None else (self._form, running, len(exchange.chunks) > 0)
        elif self._tab is Tab.RESPONSE:
            state = (exchange.status, exchange.outcome, exchange.error, len(exchange.response_headers))
            state += (len(exchange.chunks) // 50,) if running else ()
        elif self._tab is Tab.DIFF:
            against = self.against
            state = ("" if against is None else against.id,)
            if self._form == 2:
                state += (running,)
        elif self._tab is Tab.CACHE:
            state = (running,)
        place = (exchange.id, self._tab, self._form, -1 if event is None else event)
        return _Page(*place, state, self._width)

    def _asked(self, exchange: Exchange, page: _Page) -> Asked:
        everything = list(self._exchange_list.exchanges)
        explain = self.explain

        def explained(one: Exchange) -> tuple[CacheReport | None, Exchange | None]:
            report = explain(one, everything)
            before = next((other for other in everything if report and other.id == report.previous), None)
            return report, before

        return Asked(
            exchange,
            page.tab,
            page.form,
            page.width,
            self.max_display_chars,
            page.event,
            self.against,
            self._left_out.get(exchange.id, ()),
            explained,
        )

    async def _make(self, asked: Asked, page: _Page, fresh: bool) -> None:
        try:
            if fresh and (first := await asyncio.to_thread(first_page, asked)) and self._shown == page:
                self._page.show_rows(first, fresh=True)
                fresh = False
            rows = await asyncio.to_thread(make_page, asked)
        except OutcropError as error:
            self._page.show_rows(
                PlainRows(RowList(wrap([row((str(error), "error"), words=True)], page.width))), fresh=fresh
            )
            return
        if self._shown != page:
            return
        self._page.show_rows(rows, fresh=fresh)
        while isinstance(rows, RawBytes) and rows.waits and self._shown == page:
            await asyncio.to_thread(rows.count_more)
            self._page.grown()
        # The digest of a large file takes its time: the page is there before.
        if await asyncio.to_thread(count_files, asked) and not isinstance(rows, JsonTree):
            rows = await asyncio.to_thread(make_page, asked)
            if self._shown != page:
                return
            self._page.show_rows(rows, fresh=False)
        if isinstance(rows, JsonTree):
            if page.tab is not Tab.STREAM:
                self._kept[_without_width(page)] = rows
                while len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]
            await self._page.count_data()

    def on_resize(self) -> None:
        """Rows are wrapped for the width; what was prepared for another is made again."""
        self.call_after_refresh(self._apply)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The part that is read gets the room."""
        self.set_class(event.widget is self._page, "-reading")


def _without_width(page: _Page) -> _Page:
    return replace(page, width=0)


_NOTHING_YET: Final = [
    Row(""),
    row("No request has been sent in this conversation yet."),
    row(
        (
            "Send a message: every attempt is listed here as it was on the wire, headers and bytes included.",
            "dim",
        ),
        words=True,
    ),
]
_NO_HIT: Final = [
    row(("Nothing to show: the filter lets no request pass. Esc shows all again.", "dim"), words=True)
]
