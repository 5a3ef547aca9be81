"""The upper part of the tab Stream: the waterfall, the rates, a row for each event."""

from __future__ import annotations

import asyncio

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.core.exchange import Exchange
from tui.widgets.columns import TableTitles
from tui.widgets.inspection.tables import EventTable
from tui.widgets.inspection.timeline import timeline_rows
from tui.widgets.rows import RowList
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["StreamView"]

LOW = 34
"""Rows of the inspector below which the waterfall is drawn in a few lines."""


class StreamView(Vertical):
    """Shows how an answer came in; grows while it does."""

    DEFAULT_CSS = """
    StreamView {
        height: 1fr;
        display: none;
        & #inspector-timeline {
            height: auto;
            max-height: 50%;
            min-height: 2;
            padding: 0 1;
            background: $surface;
        }
        & #inspector-events { height: 1fr; min-height: 3; background: $surface; }
    }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.limit = 0
        self._exchange: Exchange | None = None
        self._drawn: tuple[object, ...] = ()
        self.timeline = VirtualLines(id="inspector-timeline")
        self._titles = TableTitles(EventTable.titles)
        self.lines = VirtualLines(cursor=True, id="inspector-events")

    def compose(self) -> ComposeResult:
        """Waterfall, titles, events."""
        yield self.timeline
        yield self._titles
        yield self.lines

    def show(self, exchange: Exchange, *, low: bool) -> None:
        """Show the events of an exchange; of the same one, what is new.

        Args:
            exchange: The exchange.
            low: Draw the waterfall in a few lines.
        """
        if self._exchange is not exchange:
            self._exchange = exchange
            self.lines.show(EventTable(exchange.events, self.limit))
        else:
            self.lines.grown()
        width = self.timeline.scrollable_content_region.width
        wanted = (exchange.id, len(exchange.events), exchange.outcome, exchange.timings.headers, width, low)
        if width > 0 and wanted != self._drawn:
            self._drawn = wanted
            self.run_worker(
                self._draw(exchange, width, low, wanted),
                name="waterfall",
                group="inspector-timeline",
                exclusive=True,
            )

    async def _draw(self, exchange: Exchange, width: int, low: bool, wanted: tuple[object, ...]) -> None:
        rows = await asyncio.to_thread(timeline_rows, exchange, width, low=low)
        if wanted == self._drawn:
            self.timeline.styles.height = len(rows)
            self.timeline.replace(RowList(rows))
