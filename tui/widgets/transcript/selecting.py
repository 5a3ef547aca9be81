"""Selecting with the mouse, and keeping what is selected through every new layout.

A spot is a line's id and a character; before a layout that gives lines other ids, spots are told by what
stands before them (`selection.Place`) and found again after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.geometry import Offset
from textual.selection import Selection
from textual.timer import Timer

from tui.widgets.transcript.canvas import Canvas
from tui.widgets.transcript.selection import (
    Place,
    Spot,
    after,
    anchor_of,
    char_at,
    find_place,
    place_of,
    selected_text,
)
from tui.widgets.transcript.view import View

__all__ = ["Selecting"]

_EDGE_EVERY: Final = 1 / 20


@dataclass(frozen=True, slots=True)
class _Held:
    """Spots told by what stands before them."""

    start: Place | None
    end: Place | None
    cursor: Place | None
    mark: Place | None
    drag: Place | None
    was_selected: bool


class Selecting(Canvas):
    """A canvas whose text can be selected."""

    # Selecting is done here: Textual's own would take everything below a pane whose edge the mouse crosses.
    ALLOW_SELECT = False
    FOCUS_ON_CLICK: ClassVar[bool] = False

    def __init__(self, empty_text: str, name: str | None, id: str | None, classes: str | None) -> None:
        super().__init__(empty_text, name, id, classes)
        self._cursor: Spot | None = None
        self._mark: Spot | None = None
        self._drag: Spot | None = None
        self._dragged = False
        self._mouse = Offset(0, 0)
        self._edge_timer: Timer | None = None
        self._edge_ticks = 0

    def cursor_moved(self) -> None:
        """The cursor is elsewhere, or gone."""

    def selected_by_mouse(self) -> None:
        """The mouse was let go over selected text."""

    def _redecorate(self) -> None:
        """Paint again: what is drawn over the rows is another."""
        self.refresh()

    # -- selection ----------------------------------------------------------------------------

    @property
    def allow_select(self) -> bool:
        """Textual shall not select; it is done here."""
        return False

    @property
    def selected(self) -> str:
        """The selected text; empty for none."""
        selection = self.text_selection
        return selected_text(self._flow, selection) if selection is not None else ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, for Textual's copy."""
        return selected_text(self._flow, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """The selection changed: paint it."""
        self.refresh()

    def _drop_selection(self) -> None:
        """Nothing is selected any more."""
        self._mark = None
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def _select(self, one: Spot, other: Spot) -> None:
        """Select from the first of two spots up to the other, without the character there."""
        start, end = sorted((one, other))
        if start == end:
            if self.text_selection is not None:
                self.screen.clear_selection()
            return
        self.screen.selections = {
            self: Selection(Offset(start[1], start[0]), Offset(end[1], end[0])),
        }

    def keep_spots(self, view: View | None = None) -> _Held | None:
        """Tell selection and cursor by what stands before them; None if nothing in `view` is to be kept."""
        if not self.is_attached:
            return None
        selection = self.text_selection
        if selection is None and self._cursor is None and self._drag is None:
            return None
        spots: list[Spot | None] = [None, None]
        if selection is not None:
            spots = [(offset.y, offset.x) if offset is not None else None for offset in selection]
        spots += [self._cursor, self._mark, self._drag]
        if view is not None and all(spot is None or spot[0] >> 40 != view.order for spot in spots):
            return None
        if self._flow.paper is None:
            return None
        start, end, cursor, mark, drag = (
            place_of(self._flow, spot) if spot is not None else None for spot in spots
        )
        return _Held(start, end, cursor, mark, drag, selection is not None)

    def find_spots(self, held: _Held | None) -> None:
        """Put selection and cursor where they were; what is not there any more is not selected."""
        if held is None or self._flow.paper is None:
            return
        flow = self._flow
        if held.cursor is not None:
            self._cursor = find_place(flow, held.cursor) or self._cursor
        self._mark = find_place(flow, held.mark) if held.mark is not None else None
        if held.drag is not None:
            self._drag = find_place(flow, held.drag, start=True)
        if not held.was_selected:
            return
        start = find_place(flow, held.start, start=True) if held.start is not None else None
        end = find_place(flow, held.end) if held.end is not None else None
        if (held.start is not None and start is None) or (held.end is not None and end is None):
            self._drop_selection()
        elif start is not None and end is not None:
            self._select(start, max(start, end))

    # -- selection by mouse -------------------------------------------------------------------

    def _spot_at(self, x: int, y: int) -> Spot | None:
        """The spot drawn at a place of the widget, or the nearest one."""
        window = self._window
        if not window or not self._flow.views:
            return None
        if y >= len(window):
            line_id, row = window[-1]
            return line_id, max(row.end, row.skip)
        line_id, row = window[max(0, y)]
        return line_id, char_at(row, max(0, x))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag may begin here."""
        if event.button != 1:
            return
        self._drag = self._spot_at(event.x, event.y)
        self._dragged = False
        if self._drag is not None:
            self._mark = None
            self.capture_mouse()
            if self.has_focus:
                self._cursor = self._drag
                self._redecorate()
                self.cursor_moved()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select up to here; at the upper or lower edge, and beyond, scroll on."""
        if self._drag is None:
            return
        self._mouse = Offset(event.x, event.y)
        if not self._dragged:
            self._dragged = True
            # What is being selected must not scroll away while more of it comes.
            self.hold()
        self._extend_drag()
        at_edge = event.y <= 0 or event.y >= self.size.height - 1
        if at_edge and self._edge_timer is None:
            self._edge_ticks = 0
            self._edge_timer = self.set_interval(_EDGE_EVERY, self._scroll_at_edge)
        elif not at_edge:
            self._stop_edge()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The drag is over."""
        if self._drag is None:
            return
        dragged, self._drag = self._dragged, None
        self.release_mouse()
        self._stop_edge()
        if dragged and self.text_selection is not None:
            self.selected_by_mouse()

    def _extend_drag(self) -> None:
        spot = self._spot_at(self._mouse.x, min(max(self._mouse.y, 0), self.size.height - 1))
        if self._drag is None or spot is None:
            return
        if self._mouse.y < 0:
            spot = (spot[0], 0)
        last = max(spot, self._drag)
        self._select(min(spot, self._drag), (last[0], self._next_char(*last)))

    def _next_char(self, line_id: int, x: int) -> int:
        """The character after the one at `x`, which is selected with it."""
        anchor = anchor_of(self._flow, line_id)
        if anchor is None or not anchor.view.pieces:
            return x
        return after(self._flow.rows(anchor.view, anchor.piece)[anchor.row], x)

    def _scroll_at_edge(self) -> None:
        if self._drag is None:
            self._stop_edge()
            return
        self._edge_ticks += 1
        beyond = max(0, -self._mouse.y, self._mouse.y - self.size.height + 1)
        # The longer it is held there the faster, as there may be no room to go further out.
        lines = min(1 + beyond + self._edge_ticks // 10, 12)
        self.scroll_lines(-lines if self._mouse.y <= 0 else lines)
        self._extend_drag()

    def _stop_edge(self) -> None:
        if self._edge_timer is not None:
            self._edge_timer.stop()
            self._edge_timer = None

    def _select_at(self, x: int, y: int, *, word: bool) -> None:
        """Select the word, or the line with what it was wrapped into, at a place in the widget."""
        if not 0 <= y < len(self._window):
            return
        spot = self._spot_at(x, y)
        if spot is None:
            return
        line_id, row = self._window[y]
        text, start = row.text, spot[1]
        end = start
        if word:
            while start > row.skip and _is_word(text[start - 1]):
                start -= 1
            while end < row.end and _is_word(text[end]):
                end += 1
            if start == end and start < row.end:
                end = after(row, start)
            self._select((line_id, start), (line_id, end))
            return
        first, last = self._line_around(line_id)
        self._select(first, last)

    def _line_around(self, line_id: int) -> tuple[Spot, Spot]:
        """The first and last spot of the line that the row is a part of."""
        anchor = anchor_of(self._flow, line_id)
        assert anchor is not None
        rows = self._flow.rows(anchor.view, anchor.piece)
        first = last = anchor.row
        while first > 0 and rows[first].join != "\n":
            first -= 1
        while last + 1 < len(rows) and rows[last + 1].join != "\n":
            last += 1
        base = (anchor.view.order << 40) | (anchor.piece << 20)
        return (base | first, rows[first].skip), (base | last, max(rows[last].end, rows[last].skip))

    def hold(self) -> None:
        """Cease to follow the end: somebody looks at what is here."""
        if self.following:
            self.following = False
            self._settle()


def _is_word(char: str) -> bool:
    return char.isalnum() or char in "_-./:@"
