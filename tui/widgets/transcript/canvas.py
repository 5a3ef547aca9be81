"""The drawing half of the conversation pane: layout, scrolling, painting.

It relies on details of Textual 8.2: `render_lines` is what the compositor calls to paint,
`render_line` what its hit-test calls, and `set_reactive` on `virtual_size` and `scroll_y` avoids a
layout of the whole screen for each new line.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.core.text import visible
from tui.widgets.compositor import paint_changed, paint_now
from tui.widgets.transcript.bar import Bar
from tui.widgets.transcript.flow import Anchor, Flow, Line
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.piece import Paper, Piece
from tui.widgets.transcript.place import Place, anchor_of, place_of
from tui.widgets.transcript.rows import Row, pad
from tui.widgets.transcript.view import View
from tui.widgets.transcript.wrap import wrap

if TYPE_CHECKING:
    from textual.app import App
    from textual.color import Color
    from textual.scrollbar import ScrollBar

__all__ = ["Canvas"]

_SCROLLBAR_PERIOD: Final = 0.25
_FRAME: Final = 1 / 60
"""Seconds after a picture for which another key waits for the screen's next frame."""

# The reactives themselves; read on the class, each is typed as itself or as its value.
_VIRTUAL: Final[Any] = Widget.virtual_size
_SCROLL: Final[Any] = Widget.scroll_y
_SCROLL_TARGET: Final[Any] = Widget.scroll_target_y


class Canvas(ScrollView):
    """Draws a `Flow`; must have no border and no padding, the gutter is part of the rows.

    Attributes:
        following: Whether the end is in sight and stays so.
    """

    def __init__(self, empty_text: str, name: str | None, id: str | None, classes: str | None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.following = True
        self._empty_text = empty_text
        self._flow = Flow()
        self._anchor: Anchor | None = None
        self._window: list[Line] = []
        self._blank = Strip([])
        self._ground: Color | None = None
        self._bar_at = (0, 0)
        self._bar_moved = 0.0
        self._bar_timed = False
        self._told: tuple[bool, int, int] = (True, 0, 0)
        self._left_at: tuple[View, int] | None = None
        self._decorated = False
        self._at_once = False
        """Whether rows that differ are painted at once, or with the screen's next frame."""
        self._scrolled = 0.0

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scrollbar, made when it is first asked for."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = Bar(self.scrollbar_size_vertical)
            bar.display = False
            cast("Any", self).app._start_widget(self, bar)
        return self._vertical_scrollbar

    @property
    def row_width(self) -> int:
        """Of each row, in cells; the scrollbar, which is always there, is beside it."""
        return self.size.width - self.scrollbar_size_vertical

    @property
    def empty_text(self) -> str:
        """What is drawn quietly in the middle while there are no blocks."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self._settle()

    def new_paper(self, width: int, palette: Palette) -> Paper:
        """What to draw on."""
        return Paper(width, width, palette)

    def follow_changed(self, following: bool, below: int, came: int) -> None:
        """The pane began or ceased to follow the end, or there is more below."""

    def keep_spots(self, view: View | None = None) -> Any:
        """Before a layout that gives lines other ids: tell what is selected in a way that outlives it."""

    def find_spots(self, held: Any) -> None:
        """After that layout: select what `keep_spots` told of."""

    def _drop_selection(self) -> None:
        """Line ids are about to name other lines."""

    def _window_changed(self) -> None:
        """Other rows are in sight, before they are painted."""

    def _decorate(self, line: Line) -> Strip | None:
        """The strip of a row with what is drawn over it; None where there is nothing."""

    # -- layout -------------------------------------------------------------------------------

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed or self._flow.paper is None:
            self._lay()
        return changed

    def notify_style_update(self) -> None:
        """The theme or the CSS changed, or only a class or the focus."""
        super().notify_style_update()
        if self._flow.paper is not None:
            self.call_next(self._lay)

    def _lay(self) -> None:
        """Take new paper if the width or the theme changed, then settle."""
        width = self.row_width
        if width <= 0 or not self.is_attached:
            return
        palette = Palette.read(self.get_component_rich_style, plain=self._no_color())
        paper, ground = self._flow.paper, self._ground
        self._ground = self.background_colors[1]
        if paper is None or (paper.width, paper.palette, ground) != (width, palette, self._ground):
            anchor, spots = self._hold(), self.keep_spots()
            came = self._came()
            self._window = []
            self._flow.lay(self.new_paper(width, palette))
            self._leave_at(came)
            self.find_spots(spots)
            self._blank = self._paint(Strip([Segment(" " * width, palette.text)], width))
            if anchor is not None:
                self._anchor = self._found(*anchor)
        self._settle()

    def _no_color(self) -> bool:
        return cast("App[Any]", self.app).no_color  # pyright: ignore[reportUnknownMemberType]

    def _hold(self) -> tuple[View, float] | None:
        """The block at the top of the viewport and how far into it that is, as a share."""
        anchor = self._anchor
        if anchor is None or self.following:
            return None
        view = anchor.view
        inner = view.tops.update(view.pieces)
        line = inner[min(anchor.piece, len(inner) - 1)] + anchor.row
        return view, line / max(1, view.height)

    def _found(self, view: View, share: float) -> Anchor | None:
        """The anchor that `_hold` told of, on new paper."""
        top = self._flow.line_of(Anchor(view, 0, 0))
        return self._flow.locate(top + round(share * view.height))

    def _hold_piece(self, view: View) -> tuple[View, Piece, float, float] | None:
        """Where in a block the top of the viewport is: in which piece, and the shares of that and of all."""
        anchor = self._anchor
        if anchor is None or self.following or anchor.view is not view or anchor.piece >= len(view.pieces):
            return None
        inner = view.tops.update(view.pieces)
        piece = view.pieces[anchor.piece]
        share = (inner[anchor.piece] + anchor.row) / max(1, view.height)
        return view, piece, anchor.row / max(1, piece.height), share

    def _found_piece(self, view: View, piece: Piece, row: float, share: float) -> Anchor | None:
        """The anchor that `_hold_piece` told of, now that the piece or its block has other rows."""
        if piece in view.pieces:
            return Anchor(view, view.pieces.index(piece), round(row * piece.height))
        return self._found(view, share)

    def _settle(self) -> None:
        """Bring layout, scroll position and screen up to date with the blocks."""
        flow = self._flow
        height = self.size.height
        if flow.paper is None or height <= 0 or not self.is_attached:
            return
        if self.following or self._anchor is None:
            self._anchor = flow.end(height)
        else:
            self._anchor = flow.move(self._anchor, 0)
        window = flow.window(self._anchor, height)
        if len(window) < height and self._anchor is not None:
            self._anchor = flow.end(height)
            window = flow.window(self._anchor, height)
        if not flow.views:
            window = self._empty(height)
        line = flow.line_of(self._anchor) if self._anchor is not None else 0
        total = max(flow.height, line + len(window))
        self._place(line, total)
        old, self._window = self._window, window
        self._window_changed()
        self._repaint(old, window)
        flow.trim()
        self._tell(line, total, height)

    def _place(self, line: int, total: int) -> None:
        """Set the scroll position without the layouts and repaints that its watchers would do."""
        self.set_reactive(_VIRTUAL, Size(self.row_width, total))
        if round(self.scroll_y) != line:
            self.set_reactive(_SCROLL, float(line))
        if self.scroll_target_y != line:
            self.set_reactive(_SCROLL_TARGET, float(line))
        self._bar_at = (total, line)
        if not self._bar_timed:
            # The scrollbar repaints itself as a whole, so while text streams it moves now and then.
            wait = self._bar_moved + _SCROLLBAR_PERIOD - perf_counter()
            if wait <= 0:
                self._move_bar()
            else:
                self._bar_timed = True
                self.set_timer(wait, self._move_bar)

    def _move_bar(self) -> None:
        self._bar_timed = False
        total, line = self._bar_at
        bar, height = self.vertical_scrollbar, self.size.height
        if (bar.window_virtual_size, bar.window_size, round(bar.position)) != (total, height, line):
            self._bar_moved = perf_counter()
            bar.window_virtual_size = total
            bar.window_size = height
            bar.position = line

    def _tell(self, line: int, total: int, height: int) -> None:
        if self.following:
            self._left_at = None
        elif self._left_at is None:
            self._leave_at(0)
        below = 0 if self.following else max(0, total - line - height)
        told = (self.following, below, min(below, self._came()))
        if told != self._told:
            self._told = told
            self.follow_changed(*told)

    def _leave_at(self, came: int) -> None:
        """Count from here what comes while the end is not followed; `came` lines have come already."""
        views = self._flow.views
        if not self.following and views:
            self._left_at = (views[-1], views[-1].height - came)

    def _came(self) -> int:
        """How many lines have come since the end was followed, partly guessed."""
        if self._left_at is None:
            return 0
        view, height = self._left_at
        views = self._flow.views
        if not (view.index < len(views) and views[view.index] is view):
            return 0
        return max(0, self._flow.height - self._flow.line_of(Anchor(view, 0, 0)) - height)

    def _empty(self, height: int) -> list[Line]:
        paper = self._flow.paper
        if paper is None or not self._empty_text:
            return []
        rows = wrap([(visible(self._empty_text), paper.palette.muted)], paper.text_width)
        top = max(0, (height - len(rows)) // 2)
        blank = " " * paper.width
        lines: list[Line] = [(0, Row([Segment(blank, paper.palette.text)], end=0)) for _ in range(top)]
        for row in rows:
            left = max(0, (paper.width - sum(segment.cell_length for segment in row.segments)) // 2)
            row.segments.insert(0, Segment(" " * left, paper.palette.text))
            row.skip, row.end = left, left + row.end
            lines.append((0, pad(row, paper.width, paper.palette.text)))
        return lines[:height]

    def _repaint(self, old: list[Line], window: list[Line]) -> None:
        """Have the rows repainted that differ from those of the old window."""
        if not old:
            self.refresh()
            return
        width = self.row_width
        regions: list[Region] = []
        first = -1
        for y in range(max(len(old), len(window)) + 1):
            differs = self._differs(old, window, y)
            if differs and first < 0:
                first = y
            elif not differs and first >= 0:
                regions.append(Region(0, first, width, y - first))
                first = -1
        if regions and not (self._at_once and paint_now(self, regions)):
            self.refresh(*regions)

    def _differs(self, old: list[Line], new: list[Line], y: int) -> bool:
        if y >= len(old) or y >= len(new):
            return y < len(old) or y < len(new)
        before, after = old[y][1], new[y][1]
        if old[y][0] != new[y][0] and (self._decorated or self.text_selection is not None):
            return True
        if before is after:
            return False
        if before.segments != after.segments:
            return True
        after.strip = before.strip
        return False

    # -- painting -----------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Hand the compositor the viewport's strips; nothing is measured here."""
        window = self._window
        decorated = self._decorated or self.text_selection is not None
        strips: list[Strip] = []
        count = len(window)
        for y in range(crop.y, crop.bottom):
            strips.append(self._strip(window[y], decorated) if 0 <= y < count else self._blank)
        if strips and (crop.x or crop.width != strips[0].cell_length):
            # What is to the right of the rows is behind the scrollbar.
            strips = [strip.crop_extend(crop.x, crop.right, None) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """A line with the offsets by which Textual's text selection finds characters."""
        if not 0 <= y < len(self._window):
            return self._blank
        line_id, row = self._window[y]
        return Strip(row.segments, self.row_width).apply_offsets(0, line_id)

    def _strip(self, line: Line, decorated: bool) -> Strip:
        row = line[1]
        if decorated and (drawn := self._decorate(line)) is not None:
            return self._paint(drawn)
        strip = row.strip
        if not isinstance(strip, Strip):
            strip = row.strip = self._paint(Strip(row.segments, self.row_width))
        return strip

    def _paint(self, strip: Strip) -> Strip:
        filters = self.get_line_filters()
        if filters:
            # Read once for each paper: Textual walks up the tree and blends colours for it.
            ground = self._ground or self.background_colors[1]
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, ground)
        return strip

    # -- scrolling ----------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual scrolled (wheel, scrollbar, selection drag): find the row that is on top now."""
        if round(old_value) != round(new_value):
            self._go(round(new_value) - round(old_value), round(new_value))

    def _go(self, by: int, line: int) -> None:
        flow, height = self._flow, self.size.height
        if flow.paper is None or not flow.views:
            return
        far = abs(by) > 3 * height or self._anchor is None
        anchor = flow.locate(line) if far or self._anchor is None else flow.move(self._anchor, by)
        self._anchor = anchor
        self.following = anchor is not None and len(flow.window(anchor, height + 1)) <= height
        self._settle()
        self._move_bar()

    def scroll_lines(self, by: int) -> None:
        """Scroll by rows, for a key: a lone one is painted at once. Negative is up."""
        before, self._at_once = self._at_once, perf_counter() - self._scrolled > _FRAME
        try:
            self._go(by, self.scroll_offset.y + by)
            if self._at_once:
                paint_changed(self.vertical_scrollbar)
        finally:
            self._at_once, self._scrolled = before, perf_counter()

    def action_scroll_up(self) -> None:
        """One row up."""
        self.scroll_lines(-1)

    def action_scroll_down(self) -> None:
        """One row down."""
        self.scroll_lines(1)

    def action_page_up(self) -> None:
        """A viewport up, less two rows to read on from."""
        self.scroll_lines(-max(1, self.size.height - 2))

    def action_page_down(self) -> None:
        """A viewport down, less two rows to read on from."""
        self.scroll_lines(max(1, self.size.height - 2))

    def action_scroll_home(self) -> None:
        """To the first row."""
        self._anchor = self._flow.start()
        self.following = False
        self._settle()

    def has_block(self, block_id: str) -> bool:
        """Whether there is a block of this id."""
        return block_id in self._flow

    def blocks_in_sight(self) -> list[str]:
        """The ids of the blocks of which a row is in the viewport, from top to bottom."""
        flow = self._flow
        if not flow.views:
            return []
        orders = dict.fromkeys(line >> 40 for line, _ in self._window)
        return [flow.views[flow.by_order(order)].block.id for order in orders]

    def scroll_to_block(self, block_id: str) -> None:
        """Bring the first row of a block to the top, or as far up as there is something below it.

        Raises:
            KeyError: There is no such block.
        """
        flow = self._flow
        self._anchor = Anchor(flow[block_id], 0, 0)
        if flow.paper is not None:
            self.following = len(flow.window(self._anchor, self.size.height + 1)) <= self.size.height
        self._settle()
        self._move_bar()

    @property
    def place(self) -> Place | None:
        """What is at the top of the viewport; None while the end is followed."""
        return None if self.following or self._anchor is None else place_of(self._flow, self._anchor)

    def go_to_place(self, place: Place) -> bool:
        """Bring a place to the top again; False where its turn is not shown."""
        anchor = anchor_of(self._flow, place)
        if anchor is None:
            return False
        self._anchor, self.following = anchor, False
        self._settle()
        self._move_bar()
        return True

    def action_scroll_end(self) -> None:
        """To the end, and follow it."""
        self.following = True
        self._settle()
