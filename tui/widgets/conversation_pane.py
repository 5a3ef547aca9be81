"""The conversation pane: one widget that draws the whole conversation line by line.

A tree of widgets cannot keep up with 200 tokens/s; this one hands the compositor rows it has
already rendered. How it works: `transcript.split` cuts markdown into pieces, `transcript.view`
renders a piece when it comes into sight, `transcript.flow` knows which rows are where, and this
widget keeps the viewport's rows and repaints those that differ.

It relies on details of Textual 8.2: `render_lines` is what the compositor calls to paint,
`render_line` what its hit-test calls, `set_reactive` on `virtual_size` and `scroll_y` avoids a
layout of the screen for each new line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.flow import Anchor, Flow, Line
from tui.widgets.transcript.palette import COMPONENTS, PANE_CSS, Palette
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.selection import mark, selected_text
from tui.widgets.transcript.view import Paper, View
from tui.widgets.transcript.wrap import wrap

__all__ = ["Block", "BlockKind", "ConversationPane"]

_FRAME: Final = 1 / 30
_SLICE: Final = 4096
_BUDGET: Final = 0.008
_REST: Final = 3.0
"""After a flush of t seconds the next waits at least this many t: a quarter of a core at most."""
_SCROLLBAR_PERIOD: Final = 0.25


class ConversationPane(ScrollView, can_focus=True):
    """Shows blocks of a conversation; knows nothing of sessions or the network.

    Attributes:
        empty_text: Drawn quietly in the middle while there are no blocks.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    DEFAULT_CSS = PANE_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Scroll up", show=False),
        Binding("down,j", "scroll_down", "Scroll down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Start", show=False),
        Binding("end,G", "scroll_end", "End", show=False),
        Binding("enter,space", "toggle_fold", "Fold", show=False),
    ]

    class LinkClicked(Message):
        """A link was clicked; whether to open it is the receiver's decision."""

        def __init__(self, pane: ConversationPane, href: str) -> None:
            super().__init__()
            self.pane = pane
            self.href = href

        @property
        def control(self) -> ConversationPane:
            """The pane."""
            return self.pane

    class FoldToggled(Message):
        """The user folded or unfolded a block; it is already drawn so."""

        def __init__(self, pane: ConversationPane, block_id: str, folded: bool) -> None:
            super().__init__()
            self.pane = pane
            self.block_id = block_id
            self.folded = folded

        @property
        def control(self) -> ConversationPane:
            """The pane."""
            return self.pane

    class FollowChanged(Message):
        """The pane began or ceased to follow the end, or more came below.

        Attributes:
            following: Whether the end is in sight and stays so.
            below: How many lines are below the viewport, partly guessed; 0 while following.
        """

        def __init__(self, pane: ConversationPane, following: bool, below: int) -> None:
            super().__init__()
            self.pane = pane
            self.following = following
            self.below = below

        @property
        def control(self) -> ConversationPane:
            """The pane."""
            return self.pane

    def __init__(
        self,
        *,
        empty_text: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.following = True
        self._empty_text = empty_text
        self._flow = Flow()
        self._anchor: Anchor | None = None
        self._window: list[Line] = []
        self._blank = Strip([])
        self._fed: dict[str, list[str]] = {}
        self._flush_handle: asyncio.TimerHandle | None = None
        self._flush_ready_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._scrollbar_at = 0.0
        self._told: tuple[bool, int] = (True, 0)
        self._paint_filters: Sequence[object] = ()

    # -- blocks -------------------------------------------------------------------------------

    @property
    def empty_text(self) -> str:
        """What is drawn in the middle while there are no blocks."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self._settle()

    def replace(self, blocks: Sequence[Block]) -> None:
        """Show another conversation, at its end; only what is in sight is rendered.

        Raises:
            ValueError: Two blocks have the same id.
        """
        self._fed.clear()
        self._flow.fill(blocks)
        self.following, self._anchor = True, None
        self._drop_selection()
        self._settle()

    def append(self, block: Block) -> None:
        """Add a block at the end.

        Raises:
            ValueError: The id is taken.
        """
        self._flow.insert(len(self._flow.views), block)
        self._settle()

    def insert_before(self, block_id: str, block: Block) -> None:
        """Add a block before another one.

        Raises:
            KeyError: There is no block `block_id`.
            ValueError: The new block's id is taken.
        """
        self._flow.insert(self._flow[block_id].index, block)
        self._settle()

    def feed(self, block_id: str, delta: str) -> None:
        """Add streamed text to a block; drawn with the next frame.

        Raises:
            KeyError: There is no such block.
        """
        if block_id not in self._flow:
            raise KeyError(block_id)
        if delta:
            self._fed.setdefault(block_id, []).append(delta)
            self._idle.clear()
            self._schedule()

    def close_block(
        self, block_id: str, *, text: str | None = None, state: str = "", title: str | None = None
    ) -> None:
        """End the stream of a block.

        Args:
            block_id: Which.
            text: The final text, which replaces what was fed if it differs; None if that stands.
            state: See `Block.state`.
            title: A new title; None keeps it.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block_id]
        for delta in self._fed.pop(block_id, ()):
            view.feed(delta, None)
        block = view.block
        view.block = Block(
            block.id, block.kind, "", block.title if title is None else title, block.folded, state
        )
        view.close(text, self._flow.paper)
        view.retitle()
        self._flow.touch(view)
        self._settle()

    def update_block(self, block: Block) -> None:
        """Replace a block by one of the same id; cheap if only title or state differ.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block.id]
        self._fed.pop(block.id, None)
        view.replace(block, self._flow.paper)
        self._flow.touch(view)
        self._settle()

    def remove(self, block_id: str) -> None:
        """Take a block away.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block_id]
        self._fed.pop(block_id, None)
        index = view.index
        self._flow.remove(view)
        if self._anchor is not None and self._anchor.view is view:
            views = self._flow.views
            self._anchor = Anchor(views[min(index, len(views) - 1)], 0, 0) if views else None
        self._settle()

    def clear(self) -> None:
        """Take all blocks away."""
        self.replace(())

    def plain_text(self, block_id: str) -> str:
        """The source text of a block as it came, for copying.

        Raises:
            KeyError: There is no such block.
        """
        return self._flow[block_id].text + "".join(self._fed.get(block_id, ()))

    def toggle_fold(self, block_id: str) -> None:
        """Fold or unfold a block, and say so.

        Raises:
            KeyError: There is no such block.
        """
        view = self._flow[block_id]
        block = view.block
        if not block.kind.is_foldable:
            return
        folded = not block.folded
        self._drop_selection()
        view.replace(
            Block(block.id, block.kind, view.text, block.title, folded, block.state), self._flow.paper
        )
        self._flow.touch(view)
        if self.following and not folded and view.index < len(self._flow.views) - 1:
            # What was asked for must come into sight: stay where the title is.
            self._anchor, self.following = self._top(), False
        self._settle()
        self.post_message(self.FoldToggled(self, block_id, folded))

    # -- streaming ----------------------------------------------------------------------------

    async def drained(self) -> None:
        """Return when all fed text is laid out and painted."""
        await self._idle.wait()
        if self.is_attached and self.is_running:
            painted = asyncio.Event()
            self.call_after_refresh(painted.set)
            await painted.wait()

    def _schedule(self) -> None:
        if self._flush_handle is None:
            loop = asyncio.get_running_loop()
            delay = self._flush_ready_at - perf_counter()
            # By way of the widget's own queue, so that an error ends the program instead of a timer.
            self._flush_handle = loop.call_later(max(0.0, delay), self.call_next, self._flush)

    def _flush(self) -> None:
        """Lay out fed text for at most the time budget; what is left waits for the next frame."""
        started = perf_counter()
        self._flush_handle = None
        flow = self._flow
        while self._fed:
            block_id, deltas = next(iter(self._fed.items()))
            text = "".join(deltas)
            view = flow[block_id]
            view.feed(text[:_SLICE], flow.paper)
            flow.touch(view)
            if len(text) > _SLICE:
                self._fed[block_id] = [text[_SLICE:]]
            else:
                del self._fed[block_id]
            if perf_counter() - started > _BUDGET:
                break
        self._settle()
        now = perf_counter()
        self._flush_ready_at = max(started + _FRAME, now + _REST * (now - started) if now - started > _BUDGET else 0)
        if self._fed:
            self._schedule()
        else:
            self._idle.set()

    # -- layout -------------------------------------------------------------------------------

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed or self._flow.paper is None:
            self._lay()
        return changed

    def notify_style_update(self) -> None:
        """The theme or the CSS changed: all rows are stale."""
        super().notify_style_update()
        if self._flow.paper is not None:
            self._flow.paper = None
            self.call_next(self._lay)

    def _lay(self) -> None:
        """Take new paper if the width or the theme changed, then settle."""
        width = self.size.width
        text_width = width - self.scrollbar_size_vertical
        if width <= 0 or not self.is_attached:
            return
        palette = Palette.read(self.get_component_rich_style, plain=self.app.no_color)
        paper = self._flow.paper
        if paper is None or (paper.width, paper.palette) != (width, palette):
            anchor = self._hold()
            self._drop_selection()
            self._window = []
            self._flow.lay(Paper(width, text_width, palette))
            self._blank = self._paint(Strip([Segment(" " * width, palette.text)], width))
            if anchor is not None:
                self._anchor = self._found(*anchor)
        self._settle()

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

    def _top(self) -> Anchor | None:
        """The anchor of the first line in sight."""
        return self._anchor

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
        self._repaint(window)
        flow.trim()
        self._tell(line, total, height)

    def _place(self, line: int, total: int) -> None:
        """Set the scroll position without the layouts and repaints that its watchers would do."""
        self.set_reactive(Widget.virtual_size, Size(self.size.width - self.scrollbar_size_vertical, total))
        if round(self.scroll_y) != line:
            self.set_reactive(Widget.scroll_y, float(line))
        if self.scroll_target_y != line:
            self.set_reactive(Widget.scroll_target_y, float(line))
        now = perf_counter()
        if now - self._scrollbar_at >= _SCROLLBAR_PERIOD or not self._fed:
            bar = self.vertical_scrollbar
            height = self.size.height
            if (bar.window_virtual_size, bar.window_size, round(bar.position)) != (total, height, line):
                self._scrollbar_at = now
                bar.window_virtual_size = total
                bar.window_size = height
                bar.position = line

    def _tell(self, line: int, total: int, height: int) -> None:
        below = 0 if self.following else max(0, total - line - height)
        if (self.following, below) != self._told:
            self._told = (self.following, below)
            self.post_message(self.FollowChanged(self, self.following, below))

    def _empty(self, height: int) -> list[Line]:
        paper = self._flow.paper
        if paper is None or not self._empty_text:
            return []
        from tui.core.text import visible
        from tui.widgets.transcript.rows import pad

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

    def _repaint(self, window: list[Line]) -> None:
        """Take a new window, and have the rows repainted that differ from the old one."""
        old, self._window = self._window, window
        if not old:
            self.refresh()
            return
        width = self.size.width
        regions: list[Region] = []
        first = -1
        for y in range(max(len(old), len(window)) + 1):
            differs = self._differs(old, window, y)
            if differs and first < 0:
                first = y
            elif not differs and first >= 0:
                regions.append(Region(0, first, width, y - first))
                first = -1
        if regions:
            self.refresh(*regions)

    def _differs(self, old: list[Line], new: list[Line], y: int) -> bool:
        if y >= len(old) or y >= len(new):
            return y < len(old) or y < len(new)
        before, after = old[y][1], new[y][1]
        if before is after:
            return self.text_selection is not None and old[y][0] != new[y][0]
        if before.segments != after.segments:
            return True
        after.strip = before.strip
        return False

    # -- painting -----------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Hand the compositor the viewport's strips; nothing is measured here."""
        window = self._window
        selection = self.text_selection
        strips: list[Strip] = []
        count = len(window)
        for y in range(crop.y, crop.bottom):
            strips.append(self._strip(window[y], selection) if 0 <= y < count else self._blank)
        if strips and (crop.x or crop.width != strips[0].cell_length):
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """A line with the offsets by which Textual's text selection finds characters."""
        if not 0 <= y < len(self._window):
            return self._blank
        line_id, row = self._window[y]
        return Strip(row.segments, self.size.width).apply_offsets(0, line_id)

    def _strip(self, line: Line, selection: Selection | None) -> Strip:
        line_id, row = line
        if selection is not None and (span := selection.get_span(line_id)) is not None:
            segments = mark(row, span, self.selection_style)
            if segments is not row.segments:
                return self._paint(Strip(segments, self.size.width))
        strip = row.strip
        if not isinstance(strip, Strip):
            strip = row.strip = self._paint(Strip(row.segments, self.size.width))
        return strip

    def _paint(self, strip: Strip) -> Strip:
        filters = self.get_line_filters()
        if filters:
            background = self.background_colors[1]
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
        return strip

    # -- selection ----------------------------------------------------------------------------

    @property
    def allow_select(self) -> bool:
        """Text can be selected."""
        return True

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, for Textual's copy."""
        return selected_text(self._flow, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """The selection changed: paint it."""
        self.refresh()

    def _drop_selection(self) -> None:
        """Line ids are about to name other lines."""
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

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

    def scroll_lines(self, by: int) -> None:
        """Scroll by rows; negative is up."""
        self._go(by, self.scroll_offset.y + by)

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

    def action_scroll_end(self) -> None:
        """To the end, and follow it."""
        self.following = True
        self._settle()

    # -- mouse --------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Open a link, or fold; a double click selects a word and not, as elsewhere, everything."""
        meta = event.style.meta if event.style else {}
        if event.chain >= 2:
            event.prevent_default()
            self._select_at(event, word=event.chain == 2)
        elif href := meta.get("href"):
            event.stop()
            self.post_message(self.LinkClicked(self, str(href)))
        elif (block_id := meta.get("fold")) is not None and block_id in self._flow:
            event.stop()
            self.toggle_fold(str(block_id))

    def _select_at(self, event: events.Click, *, word: bool) -> None:
        if not 0 <= event.y < len(self._window):
            return
        widget, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
        if widget is not self or offset is None:
            return
        line_id, row = self._window[event.y]
        text = row.text
        start, end = row.skip, row.end
        if word and start <= offset.x < end:
            start = end = offset.x
            while start > row.skip and _is_word(text[start - 1]):
                start -= 1
            while end < row.end and _is_word(text[end]):
                end += 1
        if start < end:
            self.screen.selections = {self: Selection(Offset(start, line_id), Offset(end, line_id))}

    def action_toggle_fold(self) -> None:
        """Fold or unfold the last foldable block whose title line is in sight."""
        for _, row in reversed(self._window):
            for segment in row.segments:
                style = segment.style or Style.null()
                if (block_id := style.meta.get("fold")) is not None:
                    self.toggle_fold(str(block_id))
                    return


def _is_word(char: str) -> bool:
    return char.isalnum() or char in "_-./:@"
