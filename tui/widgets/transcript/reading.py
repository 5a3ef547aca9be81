"""What is drawn over the conversation's rows: hits of a search, what is selected, labels, the cursor."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.timer import Timer

from tui.widgets.transcript.cursor import WithCursor
from tui.widgets.transcript.flow import Anchor, Line
from tui.widgets.transcript.piece import GUTTER
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.search import Hit, Search
from tui.widgets.transcript.selection import after, anchor_of, restyle
from tui.widgets.transcript.view import View

__all__ = ["READING_COMPONENTS", "READING_CSS", "Reading"]

READING_COMPONENTS: Final = frozenset({"pane--hit", "pane--hit-current", "pane--label"})
READING_CSS: Final = """
ConversationPane {
    & > .pane--hit { background: $warning 30%; text-style: underline; }
    & > .pane--hit-current { color: $background; background: $warning; text-style: bold; }
    &:nocolor > .pane--hit-current { text-style: bold reverse; }
    & > .pane--label { color: $text-accent; background: $foreground 6%; }
}
"""

_CURSOR: Final = Style(reverse=True)
_SLICE: Final = 0.008


class Reading(WithCursor):
    """A canvas in which one can search, with everything that marks rows."""

    def __init__(self, empty_text: str, name: str | None, id: str | None, classes: str | None) -> None:
        super().__init__(empty_text, name, id, classes)
        self._search: Search | None = None
        self._search_timer: Timer | None = None
        self._search_top: Anchor | None = None
        self._hits: dict[int, list[Hit]] = {}
        self._current: tuple[int, Hit] | None = None
        self._labels: dict[int, str] = {}

    def search_changed(self) -> None:
        """There is another count, or another current hit."""

    # -- searching ----------------------------------------------------------------------------

    @property
    def search(self) -> Search | None:
        """The search that is on."""
        return self._search

    def find(self, query: str) -> None:
        """Look for words; the hits are marked and counted, and the nearest one is shown."""
        if self._search_top is None:
            self._search_top = self._anchor
        self._current = None
        self._search = Search(self._flow, query) if query.strip() else None
        if self._search is None:
            self._window_changed()
            self._redecorate()
            self.search_changed()
            return
        self._count_on()

    def _count_on(self) -> None:
        self._search_timer = None
        search = self._search
        if search is None:
            return
        if not search.run(_SLICE):
            self._search_timer = self.set_timer(0.001, self._count_on)
            self.search_changed()
            return
        anchor = self._search_top or self._anchor
        if search.view is None and anchor is not None:
            last = self._flow.move(anchor, self.size.height - 1).view.index
            if search.begin_near(anchor.view.index, last) is not None:
                self._show_hit(1)
                return
        self._redecorate_hits()
        self.search_changed()

    def find_next(self, by: int) -> None:
        """Go to the next hit (1) or the one before (-1); from the last one on to the first."""
        search = self._search
        if search is None or not search.done:
            return
        search.look_again()
        if search.view is None and self._anchor is not None:
            search.begin_near(self._anchor.view.index, self._anchor.view.index)
        elif not search.step(by):
            self.search_changed()
            return
        self._show_hit(by)

    def _show_hit(self, by: int) -> None:
        search = self._search
        assert search is not None
        for _ in range(200):
            view = search.view
            if view is None:
                break
            if view.folded:
                self.unfold(view)
            self.unfold_inside(view)
            found = search.locate()
            if found is not None:
                piece, hit = found
                anchor = Anchor(view, piece, hit[0])
                self._current = ((view.order << 40) | (piece << 20) | hit[0], hit)
                self.reveal(anchor)
                self._cursor = (self._current[0], hit[1])
                break
            # What was counted there is nothing to be seen: on to the next one.
            if not search.step(by):
                break
        else:
            self._current = None
        self._redecorate_hits()
        self.search_changed()
        if self.has_focus:
            self.cursor_moved()

    def unfold(self, view: View) -> None:
        """Show all of a folded block; for a search, which has hits in it."""

    def unfold_inside(self, view: View) -> None:
        """Show what is folded within a block."""

    def stop_finding(self) -> None:
        """Mark no hits any more; the place stays."""
        self._search, self._current, self._search_top = None, None, None
        if self._search_timer is not None:
            self._search_timer.stop()
            self._search_timer = None
        self._hits = {}
        self._redecorate()

    # -- drawing ------------------------------------------------------------------------------

    def _window_changed(self) -> None:
        """Other rows are in sight: the cursor goes along, hits and labels are those of these rows."""
        if self.has_focus:
            before = self._cursor
            self._place_cursor()
            if self._cursor != before:
                self._extend_mark()
                self.cursor_moved()
            self._labels = self.labels(self._window)
        search = self._search
        if search is not None and self._flow.views:
            if search.done:
                total = search.total
                search.look_again()
                if search.total != total:
                    self.search_changed()
            self._mark_hits(search)
        else:
            self._hits = {}
        self._decorated = self.has_focus or bool(self._hits)

    def labels(self, window: list[Line]) -> dict[int, str]:
        """Words at the right end of rows, by line id, while the cursor is shown."""
        return {}

    def _mark_hits(self, search: Search) -> None:
        hits: dict[int, list[Hit]] = {}
        seen: set[int] = set()
        for line_id, _ in self._window:
            if line_id >> 20 in seen:
                continue
            seen.add(line_id >> 20)
            anchor = anchor_of(self._flow, line_id)
            if anchor is None or not anchor.view.pieces:
                continue
            base = (anchor.view.order << 40) | (anchor.piece << 20)
            for number, row in enumerate(search.marks(anchor.view, anchor.piece)):
                if row:
                    hits[base | number] = row
        self._hits = hits

    def _redecorate_hits(self) -> None:
        self._window_changed()
        self._redecorate()

    def _redecorate(self) -> None:
        """Paint again: what is drawn over the rows is another."""
        if self.has_focus and self._flow.paper is not None:
            self._labels = self.labels(self._window)
        self._decorated = self.has_focus or bool(self._hits)
        self.refresh()

    def _decorate(self, line: Line) -> Strip | None:
        """The strip of a row with hits, selection, label and cursor over it; None if it has none of them."""
        line_id, row = line
        segments = row.segments
        for hit in self._hits.get(line_id, ()):
            is_current = self._current is not None and self._current == (line_id, hit)
            style = self.get_component_rich_style("pane--hit-current" if is_current else "pane--hit")
            if not is_current:
                style = Style(bgcolor=style.bgcolor, underline=True)
            segments = restyle(segments, hit[1], abs(hit[2]), style)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(line_id)) is not None:
            end = row.end if span[1] == -1 else min(span[1], row.end)
            chosen = self.selection_style
            # Its own colour is none, which is drawn as that of the background.
            style = Style(bgcolor=chosen.bgcolor, reverse=chosen.reverse)
            segments = restyle(segments, max(span[0], row.skip), end, style)
        label = self._labels.get(line_id, "") if self.has_focus else ""
        if self.has_focus and self._cursor is not None and self._cursor[0] == line_id:
            segments = _with_cursor(row, segments, self._cursor[1])
        if segments is row.segments and not label:
            return None
        strip = Strip(segments, self.row_width)
        return self._with_label(strip, label) if label else strip

    def _label_span(self, label: str) -> tuple[int, int]:
        """From cell to cell where a label stands."""
        width = self.row_width
        room = self._flow.paper.text_width + GUTTER if self._flow.paper is not None else width
        right = min(room, width, 100 + GUTTER) - 1
        return right - len(label), right

    def has_room(self, row: Row, label: str) -> bool:
        """Whether a label covers no character of a row."""
        left, _ = self._label_span(label)
        return left >= GUTTER + 8 and cell_len(row.text.rstrip()) < left

    def _with_label(self, strip: Strip, label: str) -> Strip:
        left, right = self._label_span(label)
        drawn = Strip([Segment(label, self.get_component_rich_style("pane--label"))], len(label))
        return Strip.join([strip.crop(0, left), drawn, strip.crop(right, self.row_width)])


def _with_cursor(row: Row, segments: list[Segment], x: int) -> list[Segment]:
    """The cursor is one character in reverse, on a row without text the first cell after the gutter."""
    at = max(x, GUTTER) if row.end <= row.skip else x
    return restyle(segments, at, max(after(row, at, limit=1 << 30), at + 1), _CURSOR)
