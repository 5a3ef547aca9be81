"""The list of exchanges: live, filtered while one types, with the one that is marked for comparing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tui.core.exchange import Exchange
from tui.core.exchange_filter import ExchangeFilter, parse_filter
from tui.widgets.columns import TableTitles
from tui.widgets.inspection.lines import EntryLine
from tui.widgets.inspection.tables import ExchangeTable
from tui.widgets.rows import RowList, row, wrap
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["ExchangeList"]

_PLACEHOLDER = "status:4xx model:gpt-5.5 time:>2s is:bookmarked words"


class ExchangeList(Vertical):
    """Exchanges, one a line; the cursor follows the newest while it is on the newest.

    Attributes:
        marked: The id of the exchange chosen for comparing; empty for none.
    """

    DEFAULT_CSS = """
    ExchangeList {
        height: auto;
        & #inspector-exchanges { height: 4; background: $surface; }
    }
    """

    class Selected(Message):
        """Another exchange is under the cursor, or there are others."""

    class Entered(Message):
        """Enter was pressed on an exchange, or it was clicked."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.marked = ""
        self._all: Sequence[Exchange] = ()
        self._shown: Sequence[Exchange] = ()
        self._filter = parse_filter("")
        self.filter_line = EntryLine("FILTER", _PLACEHOLDER, id="inspector-filter")
        self._titles = TableTitles(ExchangeTable.titles)
        self.lines = VirtualLines(ExchangeTable(()), cursor=True, id="inspector-exchanges")

    def compose(self) -> ComposeResult:
        """The filter, the titles, the list."""
        yield self.filter_line
        yield self._titles
        yield self.lines

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """All of them, whatever the filter."""
        return self._all

    @property
    def filter_text(self) -> str:
        """The filter as it was typed."""
        return self._filter.text.strip()

    @property
    def selected(self) -> Exchange | None:
        """The exchange under the cursor."""
        index = self.lines.cursor
        return self._shown[index] if index is not None and index < len(self._shown) else None

    @property
    def marked_exchange(self) -> Exchange | None:
        """The one chosen for comparing."""
        return next((exchange for exchange in self._all if exchange.id == self.marked), None)

    def show(self, exchanges: Sequence[Exchange]) -> None:
        """Show a conversation's exchanges, oldest first."""
        self._all = list(exchanges)
        self._apply_filter()

    def refresh_live(self) -> None:
        """They may have changed: look again."""
        if self.filter_text and not self._filter.reads_bodies:
            self._apply_filter()
        self.lines.grown()

    def select(self, exchange_id: str) -> None:
        """Put the cursor on this exchange; one that the filter hides ends the filter."""
        if all(exchange.id != exchange_id for exchange in self._shown):
            self.clear_filter()
        ids = [exchange.id for exchange in self._shown]
        if exchange_id in ids:
            self.lines.move_cursor(ids.index(exchange_id))

    def set_room(self, height: int) -> None:
        """Take what rows there are exchanges for, of `height` at most."""
        rows = max(3, min(len(self._shown), height))
        self.lines.styles.height = rows

    def toggle_mark(self) -> None:
        """Choose the exchange under the cursor for comparing, or none."""
        selected = self.selected
        self.marked = "" if selected is None or selected.id == self.marked else selected.id
        self.redraw()

    def redraw(self) -> None:
        """Draw bookmarks and marks again."""
        if self._shown:
            self.lines.replace(ExchangeTable(self._shown, self.marked))

    def _apply_filter(self) -> None:
        wanted = self._filter
        if not self.filter_text:
            self._show(self._all)
        elif wanted.reads_bodies:
            self.run_worker(
                partial(self._look_into_bodies, wanted, list(self._all)),
                name="filter",
                group="inspector-filter",
                exclusive=True,
            )
        else:
            self._show([exchange for exchange in self._all if wanted.matches(exchange)])

    async def _look_into_bodies(self, wanted: ExchangeFilter, exchanges: list[Exchange]) -> None:
        self.filter_line.say("looking …")
        found = await asyncio.to_thread(lambda: [one for one in exchanges if wanted.matches(one)])
        if wanted is self._filter:
            self._show(found)

    def _show(self, exchanges: Sequence[Exchange]) -> None:
        if self.filter_text:
            self.filter_line.say(f"{len(exchanges):,} of {len(self._all):,}")
        else:
            self.filter_line.say("Enter keeps it · Esc shows all")
        before = self.selected
        ids = [exchange.id for exchange in exchanges]
        if before is not None and ids == [exchange.id for exchange in self._shown]:
            self._shown = exchanges
            self.lines.replace(ExchangeTable(exchanges, self.marked))
            return
        followed = before is None or before is self._shown[-1]
        self._shown = exchanges
        index = len(exchanges) - 1
        if before is not None and before.id in ids and not followed:
            index = ids.index(before.id)
        if exchanges or not self.filter_text:
            self.lines.show(ExchangeTable(exchanges, self.marked), cursor=index)
        else:
            nothing = wrap([row((" No request passes the filter.", "dim"))], max(20, self.size.width))
            self.lines.show(RowList(nothing))
        self.post_message(self.Selected())

    # What the user does.

    @on(VirtualLines.Highlighted, "#inspector-exchanges")
    def _highlighted(self, event: VirtualLines.Highlighted) -> None:
        event.stop()
        self.post_message(self.Selected())

    @on(VirtualLines.Chosen, "#inspector-exchanges")
    def _chosen(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self.post_message(self.Entered())

    @on(EntryLine.Typed, "#inspector-filter")
    def _typed(self, event: EntryLine.Typed) -> None:
        event.stop()
        self._filter = parse_filter(event.text)
        self._apply_filter()

    @on(EntryLine.Done, "#inspector-filter")
    def _typed_enough(self, event: EntryLine.Done) -> None:
        event.stop()
        self.lines.focus()
        if not self.filter_text:
            self.filter_line.close()

    @on(EntryLine.Left, "#inspector-filter")
    def _cleared(self, event: EntryLine.Left) -> None:
        event.stop()
        self.clear_filter()

    def clear_filter(self) -> None:
        """Show all of them again."""
        self.filter_line.input.value = ""
        self._filter = parse_filter("")
        self.filter_line.close()
        self.lines.focus()
        self._apply_filter()
