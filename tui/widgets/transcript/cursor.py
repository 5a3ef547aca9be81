"""The cursor of the conversation pane, which is there while the pane has the focus.

It never leaves the viewport: scrolling takes it along.
"""

from __future__ import annotations

import re
from typing import Final

from tui.widgets.transcript.flow import Anchor
from tui.widgets.transcript.selecting import Selecting
from tui.widgets.transcript.selection import Spot, after, anchor_of, before, cell_of, char_at
from tui.widgets.transcript.view import View

__all__ = ["WithCursor"]

_WORD: Final = re.compile(r"\w+|[^\w\s]+")


class WithCursor(Selecting):
    """A canvas with a cursor that moves, selects, and goes from turn to turn."""

    def __init__(self, empty_text: str, name: str | None, id: str | None, classes: str | None) -> None:
        super().__init__(empty_text, name, id, classes)
        self._goal = 0
        self._inclusive = False

    # -- the cursor ---------------------------------------------------------------------------

    def on_focus(self) -> None:
        """Show the cursor: at the last line in sight, or where it was."""
        self._place_cursor()
        self._redecorate()
        self.cursor_moved()

    def on_blur(self) -> None:
        """Without the focus there is no cursor; what is selected stays."""
        self._mark = None
        self._redecorate()
        self.cursor_moved()

    @property
    def cursor_view(self) -> View | None:
        """The block that the cursor is in; None without one."""
        anchor = self.cursor_anchor
        return anchor.view if anchor is not None else None

    @property
    def current_block(self) -> str | None:
        """The id of the block that the cursor is in; None without one."""
        view = self.cursor_view
        return view.block.id if view is not None else None

    @property
    def cursor_anchor(self) -> Anchor | None:
        """The row that the cursor is in."""
        if self._cursor is None or not self.has_focus or self._flow.paper is None or not self._flow.views:
            return None
        return anchor_of(self._flow, self._cursor[0])

    def _place_cursor(self) -> None:
        """Have the cursor on a row in sight."""
        window = self._window
        if not window or not self._flow.views:
            self._cursor = None
            return
        if self._cursor is None:
            index = len(window) - 1
            while index > 0 and window[index][1].end <= window[index][1].skip:
                index -= 1
            self._cursor = self._on_row(index)
        elif self._cursor[0] < window[0][0]:
            self._cursor = self._on_row(0)
        elif self._cursor[0] > window[-1][0]:
            self._cursor = self._on_row(len(window) - 1)
        elif all(line_id != self._cursor[0] for line_id, _ in window):
            self._cursor = self._on_row(self._row_index())

    def _on_row(self, index: int) -> Spot:
        line_id, row = self._window[index]
        return line_id, char_at(row, max(self._goal, 0)) if row.end > row.skip else row.skip

    def _row_index(self) -> int:
        """Which row of the viewport the cursor is on, or nearest to."""
        if self._cursor is None:
            return 0
        for index, (line_id, _) in enumerate(self._window):
            if line_id >= self._cursor[0]:
                return index
        return max(0, len(self._window) - 1)

    def _move_to(self, spot: Spot, *, extend: bool, goal: bool = True) -> None:
        """Put the cursor on a spot in sight, with the selection growing or ending."""
        if extend and self._mark is None and self._cursor is not None:
            self._mark, self._inclusive = self._cursor, False
        elif not extend and self._mark is not None and not self._inclusive:
            self._drop_selection()
        self._cursor = spot
        row = self._window[self._row_index()][1]
        if goal:
            self._goal = cell_of(row, spot[1])
        self._extend_mark()
        self.following = self._ends_here()
        self._redecorate()
        self.cursor_moved()

    def _extend_mark(self) -> None:
        if self._mark is None or self._cursor is None:
            return
        low, high = sorted((self._mark, self._cursor))
        if self._inclusive:
            high = (high[0], self._next_char(*high))
        self._select(low, high)

    def _ends_here(self) -> bool:
        """Whether there is nothing below the cursor: then the end is followed again."""
        below = self._window[self._row_index() + 1 :]
        if any(row.end > row.skip for _, row in below):
            return False
        return (
            self._anchor is not None
            and len(self._flow.window(self._anchor, self.size.height + 1)) <= self.size.height
        )

    def move_rows(self, by: int, *, extend: bool = False) -> None:
        """Move the cursor by rows, and the text under it where it would leave the viewport."""
        self._place_cursor()
        if self._cursor is None:
            return
        target = self._row_index() + by
        last = len(self._window) - 1
        beyond = min(target, 0) or max(target - last, 0)
        if beyond:
            if extend and self._mark is None:
                self._mark, self._inclusive = self._cursor, False
            self.scroll_lines(beyond)
            last = len(self._window) - 1
        self._move_to(self._on_row(max(0, min(target, last))), extend=extend, goal=False)

    def move_chars(self, by: int, *, extend: bool = False) -> None:
        """Move the cursor by one character, on to the next row at a row's end."""
        self._place_cursor()
        if self._cursor is None:
            return
        index = self._row_index()
        line_id, row = self._window[index]
        x = self._cursor[1]
        moved = after(row, x) if by > 0 else before(row, x)
        if moved != x:
            self._move_to((line_id, moved), extend=extend)
        elif 0 <= index + by < len(self._window):
            line_id, row = self._window[index + by]
            self._move_to((line_id, row.skip if by > 0 else max(row.end, row.skip)), extend=extend)
        else:
            self.move_rows(by, extend=extend)

    def move_words(self, by: int, *, extend: bool = False) -> None:
        """Move the cursor to where the next word begins, or the one before."""
        self._place_cursor()
        if self._cursor is None:
            return
        index, x = self._row_index(), self._cursor[1]
        while 0 <= index < len(self._window):
            line_id, row = self._window[index]
            starts = [match.start() + row.skip for match in _WORD.finditer(row.copyable)]
            starts = [start for start in starts if (start > x if by > 0 else start < x)]
            if starts:
                self._move_to((line_id, starts[0] if by > 0 else starts[-1]), extend=extend)
                return
            index += by
            x = -1 if by > 0 else 1 << 30
        before = self._cursor
        self.move_to_edge(by, extend=extend)
        if self._cursor == before:
            self.move_rows(by, extend=extend)

    def move_to_edge(self, side: int, *, extend: bool = False) -> None:
        """Move the cursor to the start (-1) or the end (1) of its row."""
        self._place_cursor()
        if self._cursor is not None:
            line_id, row = self._window[self._row_index()]
            self._move_to((line_id, row.skip if side < 0 else max(row.end, row.skip)), extend=extend)

    def cursor_to(self, anchor: Anchor, x: int | None = None) -> None:
        """Bring a row into sight and put the cursor there."""
        self.reveal(anchor)
        line_id = (anchor.view.order << 40) | (anchor.piece << 20) | anchor.row
        row = next((row for other, row in self._window if other == line_id), None)
        if row is not None:
            self._cursor = (line_id, row.skip if x is None else x)
            self._goal = cell_of(row, self._cursor[1])
            self._redecorate()
            self.cursor_moved()

    def action_mark(self) -> None:
        """Begin to select at the cursor, or cease to."""
        self._place_cursor()
        if self._mark is not None and self._inclusive:
            self._drop_selection()
        elif self._cursor is not None:
            self._mark, self._inclusive = self._cursor, True
            self._extend_mark()

    def action_select_block(self) -> None:
        """Select all that is drawn of the block under the cursor."""
        view = self.cursor_view
        if view is None or not view.pieces:
            return
        self._mark = None
        first = self._flow.rows(view, 0)[0]
        base = view.order << 40
        for piece in range(len(view.pieces) - 1, -1, -1):
            rows = self._flow.rows(view, piece)
            for number in range(len(rows) - 1, -1, -1):
                if rows[number].end > rows[number].skip:
                    self._select((base, first.skip), (base | (piece << 20) | number, rows[number].end))
                    return

    # -- turns --------------------------------------------------------------------------------

    def turn_of(self, view: View) -> int:
        """The index of the block with which the turn of `view` begins."""
        views, index = self._flow.views, view.index
        while index > 0 and not views[index].block.begins_turn:
            index -= 1
        return index

    def go_to_turn(self, by: int) -> bool:
        """Bring the next turn (1) to the top, or the start of this or the last one (-1); False for none."""
        views = self._flow.views
        here = self.cursor_anchor or self._anchor
        if not views or here is None:
            return False
        first = self.turn_of(here.view)
        if by > 0:
            index = here.view.index + 1
            while index < len(views) and not views[index].block.begins_turn:
                index += 1
            if index >= len(views):
                return False
        else:
            at_start = here.view.index == first and not here.piece and not here.row
            if at_start and not first:
                return False
            index = self.turn_of(views[first - 1]) if at_start else first
        self.scroll_to_block(views[index].block.id)
        if self.has_focus:
            self.cursor_to(Anchor(views[index], 0, 0))
        return True

    def reveal(self, anchor: Anchor) -> None:
        """Bring a row into sight, if it is not, with some of what stands before it."""
        line_id = (anchor.view.order << 40) | (anchor.piece << 20) | anchor.row
        self.following = False
        if any(other == line_id for other, _ in self._window):
            self._settle()
            return
        self._anchor = self._flow.move(anchor, -(self.size.height // 3))
        self.following = len(self._flow.window(self._anchor, self.size.height + 1)) <= self.size.height
        self._settle()
        self._move_bar()
