"""The request inspector: every attempt of a conversation, as it was on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.core import figures
from tui.widgets.inspection.copied import copied_headers, copied_text
from tui.widgets.inspection.exchange_list import ExchangeList
from tui.widgets.inspection.lines import EntryLine, HintLine
from tui.widgets.inspection.page import PageLines
from tui.widgets.inspection.panel import CurrentNode, InspectorPanel
from tui.widgets.inspection.request_keys import REQUEST_KEYS
from tui.widgets.inspection.tab_strip import TabStrip
from tui.widgets.inspection.views import FORMS
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["CurrentNode", "Inspector"]


class Inspector(InspectorPanel):
    """The panel with its keys: filter, find, fold, mark, note, copy.

    `current_exchange`, `marked` and `current_node` say what the cursors are on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left,left_square_bracket", "tab_by(-1)", "Previous tab", show=False, id="inspector.tab_before"
        ),
        Binding("right,right_square_bracket", "tab_by(1)", "Next tab", show=False, id="inspector.tab_after"),
        Binding("1", "tab(0)", "Shape", show=False, id="inspector.shape"),
        Binding("2", "tab(1)", "Request", show=False, id="inspector.request"),
        Binding("3", "tab(2)", "Stream", show=False, id="inspector.stream"),
        Binding("4", "tab(3)", "Response", show=False, id="inspector.response"),
        Binding("5", "tab(4)", "Diff", show=False, id="inspector.diff"),
        Binding("6", "tab(5)", "Cache", show=False, id="inspector.cache"),
        Binding("J", "exchange_by(1)", "Next exchange", show=False, id="inspector.exchange_after"),
        Binding("K", "exchange_by(-1)", "Previous exchange", show=False, id="inspector.exchange_before"),
        Binding("r", "form", "Next form: tree, raw bytes …", show=False, id="inspector.form"),
        Binding("f", "filter", "Filter the exchanges", show=False, id="inspector.filter"),
        Binding("slash", "find", "Find in the tab", show=False, id="inspector.find"),
        Binding("n", "hit(1)", "Next hit", show=False, id="inspector.hit_after"),
        Binding("N", "hit(-1)", "Hit before", show=False, id="inspector.hit_before"),
        Binding("m", "mark", "Mark for comparing", show=False, id="inspector.mark"),
        Binding("b", "bookmark", "Bookmark", show=False, id="inspector.bookmark"),
        Binding("w", "note", "Write a note", show=False, id="inspector.note"),
        Binding("c", "copy", "Copy all of the tab", show=False, id="inspector.copy"),
        Binding("y", "copy_node", "Copy the value", show=False, id="inspector.copy_node"),
        Binding("Y", "copy_path", "Copy its path", show=False, id="inspector.copy_path"),
        Binding("h", "copy_headers", "Copy headers", show=False, id="inspector.copy_headers"),
        Binding("z", "zoom", "Full width", show=False, id="inspector.zoom"),
        Binding("escape", "close", "Close", show=False, id="inspector.close"),
        *REQUEST_KEYS,
    ]

    class Closed(Message):
        """The user is done with the inspector."""

    @on(ExchangeList.Selected)
    def _select_exchange(self) -> None:
        self._apply()

    @on(ExchangeList.Entered)
    def _enter_exchange(self) -> None:
        self._apply()
        (self._stream.lines if self.has_class("-events") else self._page).focus()

    @on(VirtualLines.Highlighted, "#inspector-events")
    def _select_event(self) -> None:
        self._prepare()

    @on(VirtualLines.Chosen, "#inspector-events")
    def _enter_event(self) -> None:
        self._page.focus()

    @on(TabStrip.Activated)
    def _tab_clicked(self, event: TabStrip.Activated) -> None:
        event.stop()
        self.show_tab(event.index)

    @on(HintLine.Wanted)
    async def _hint_clicked(self, event: HintLine.Wanted) -> None:
        event.stop()
        await self.run_action(event.action)

    def select(self, exchange_id: str) -> None:
        """Put the cursor on this exchange."""
        self._exchange_list.select(exchange_id)

    def action_tab(self, tab: int) -> None:
        """Show a tab."""
        self.show_tab(tab)

    def action_tab_by(self, step: int) -> None:
        """Show the next tab or the one before."""
        self.show_tab(self._tab + step)

    def action_exchange_by(self, step: int) -> None:
        """Go to the next exchange or the one before."""
        lines = self._exchange_list.lines
        if lines.cursor is not None:
            lines.move_cursor(lines.cursor + step)

    def action_form(self) -> None:
        """Show the tab in its next form: as a tree, as the bytes were, side by side."""
        self._forms[self._tab] = (self._form + 1) % len(FORMS[self._tab])
        self._apply()

    def action_zoom(self) -> None:
        """Take the whole width beside a conversation, or give it back."""
        self._zoomed = not self._zoomed
        self.styles.width = "100%" if self._zoomed else None

    # Filtering and finding.

    def action_filter(self) -> None:
        """Type a filter for the exchanges."""
        self._exchange_list.filter_line.open()

    def action_find(self) -> None:
        """Type what is to be found in the tab."""
        self._note.close()
        self._hints.display = False
        self._find.open()

    def action_hit(self, by: int) -> None:
        """Go to the next hit, or the one before; without any, type what is to be found."""
        if self._page.words:
            self._page.go_to_hit(by)
        else:
            self.action_find()

    @on(EntryLine.Typed, "#inspector-find")
    def _find_typed(self, event: EntryLine.Typed) -> None:
        self._page.look_for(event.text)

    @on(EntryLine.Done, "#inspector-find")
    def _find_done(self, event: EntryLine.Done) -> None:
        self._page.go_to_hit(event.by)

    @on(EntryLine.Left, "#inspector-find")
    def _find_left(self) -> None:
        """The hits stay marked, and the keys for the next one work, until Escape once more."""
        self._find.close()
        self._hints.display = True
        self._page.focus()

    @on(PageLines.Looked)
    def _looked(self, event: PageLines.Looked) -> None:
        event.stop()
        more = "" if event.done else "+"
        if not self._page.words.strip():
            self._find.say("Enter next · Esc leaves")
        elif not event.total:
            self._find.say("no hit")
        else:
            self._find.say(f"{event.place:,} of {event.total:,}{more}")

    # Marks and notes.

    def action_mark(self) -> None:
        """Choose the exchange for comparing, or none."""
        self._exchange_list.toggle_mark()
        marked = self.marked
        if marked is not None:
            name = f"#{marked.number}.{marked.attempt}"
            self.notify(f"{name} is marked: Diff compares the others with it.", markup=False)
        self._prepare()

    def action_bookmark(self) -> None:
        """Bookmark the exchange, or not any more."""
        exchange = self.current_exchange
        if exchange is not None:
            self._keep(not exchange.bookmarked, exchange.note)

    def action_note(self) -> None:
        """Write a note on the exchange."""
        exchange = self.current_exchange
        if exchange is not None:
            self._find.close()
            self._hints.display = False
            self._noted = exchange
            self._note.say("Enter keeps it · Esc does not")
            self._note.open(exchange.note)

    @on(EntryLine.Done, "#inspector-note")
    def _note_done(self) -> None:
        exchange = self._noted
        if exchange is not None:
            self._keep(exchange.bookmarked, self._note.input.value.strip())
        self._note_left()

    @on(EntryLine.Left, "#inspector-note")
    def _note_left(self) -> None:
        self._note.close()
        self._hints.display = True
        self.focus()

    def _keep(self, bookmarked: bool, note: str) -> None:
        exchange = self._noted if self._note.is_open else self.current_exchange
        if exchange is None:
            return
        exchange.bookmarked, exchange.note = bookmarked, note
        if self.keep_note is not None:
            self.keep_note(exchange, bookmarked, note)
        self._exchange_list.redraw()
        self._prepare()

    # Copying.

    def action_copy(self) -> None:
        """Copy all of what the tab shows a view of: the body, the response, the event, the summary."""
        exchange = self.current_exchange
        if exchange is not None:
            event = self._stream.lines.cursor if self.has_class("-events") else None
            what = partial(copied_text, exchange, self._tab, event, self._page.rows)
            self.run_worker(partial(self._copy_later, what), group="copy", exit_on_error=False)

    async def _copy_later(self, what: Callable[[], tuple[str, str]]) -> None:
        """Copy what takes a while to read: a body may be tens of megabytes."""
        name, text = await asyncio.to_thread(what)
        size = await asyncio.to_thread(_bytes_of, text)
        self._copy(name, text, size)

    def action_copy_node(self) -> None:
        """Copy the value under the cursor of a tree."""
        node = self.current_node
        if node is None:
            self.notify("There is no value under the cursor: c copies all of the tab.", markup=False)
        else:
            self._copy(node.path, node.value)

    def action_copy_path(self) -> None:
        """Copy the JSON path of the value under the cursor of a tree."""
        node = self.current_node
        if node is None:
            self.notify("There is no value under the cursor of a tree here.", markup=False)
        else:
            self._copy("the JSON path", node.path)

    def action_copy_headers(self) -> None:
        """Copy the response's headers on the tabs Stream and Response, else the request's."""
        exchange = self.current_exchange
        if exchange is not None:
            self._copy(*copied_headers(exchange, self._tab))

    def _copy(self, what: str, text: str, size: int | None = None) -> None:
        if text:
            shown = figures.size(_bytes_of(text) if size is None else size)
            cast("Any", self).app.copy_to_clipboard(text, f"{what}, {shown}")
        else:
            self.notify(f"There is nothing to copy: {what} is empty.", severity="warning", markup=False)

    def action_close(self) -> None:
        """Leave what was found, then the filter; with neither, say that the user is done."""
        if self._page.words:
            self._find.input.value = ""
            self._page.look_for("")
        elif self._exchange_list.filter_line.is_open:
            self._exchange_list.clear_filter()
        else:
            self.post_message(self.Closed())


def _bytes_of(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
