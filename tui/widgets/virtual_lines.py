"""A list of rows that draws only what is on screen, however long it is."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Final, get_args

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.widgets.rows import Mark, Row, RowList, RowSource

__all__ = ["VirtualLines"]

_MARKS: Final[tuple[Mark, ...]] = get_args(Mark)


class VirtualLines(ScrollView, can_focus=True):
    """Rows from a `RowSource`, with or without a cursor.

    Without a cursor it is a page to scroll and to select text on; with one it is a list: up, down, page
    keys, home, end and the mouse move it, Enter or a click on the row chooses. The class `-active` makes the
    cursor look focused where the keys come from an input beside it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="lines.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="lines.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="lines.page_up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="lines.page_down"),
        Binding("home,g", "edge(-1)", "First", show=False, id="lines.first"),
        Binding("end,G", "edge(1)", "Last", show=False, id="lines.last"),
        Binding("enter", "choose", "Choose", show=False, id="lines.choose"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-lines--cursor",
        "virtual-lines--hover",
        *(f"virtual-lines--{mark}" for mark in _MARKS),
    }
    DEFAULT_CSS = """
    VirtualLines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        color: $foreground;
        /* The columns stand where their titles are, with a scrollbar or without. */
        &.-list { scrollbar-gutter: stable; }
        & > .virtual-lines--accent { color: $text-accent; }
        & > .virtual-lines--dim { color: $text-muted; }
        & > .virtual-lines--error { color: $text-error; }
        & > .virtual-lines--faint { color: $text-disabled; }
        & > .virtual-lines--fold { color: $text-warning; text-style: italic; }
        & > .virtual-lines--heading { color: $text-primary; text-style: bold; }
        & > .virtual-lines--key { color: $text-primary; }
        & > .virtual-lines--match { color: $text-accent; text-style: bold underline; }
        & > .virtual-lines--number { color: $text-warning; }
        & > .virtual-lines--string { color: $text-success; }
        & > .virtual-lines--success { color: $text-success; }
        & > .virtual-lines--warning { color: $text-warning; }
        & > .virtual-lines--word { color: $text-accent; }
        & > .virtual-lines--hover { background: $block-hover-background; }
        & > .virtual-lines--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
        }
        &:focus > .virtual-lines--cursor, &.-active > .virtual-lines--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
    }
    """

    class Highlighted(Message):
        """The cursor came to another row."""

        def __init__(self, lines: VirtualLines, index: int) -> None:
            super().__init__()
            self.lines = lines
            self.index = index

        @property
        def control(self) -> VirtualLines:
            """The list."""
            return self.lines

    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked."""

        def __init__(self, lines: VirtualLines, index: int) -> None:
            super().__init__()
            self.lines = lines
            self.index = index

        @property
        def control(self) -> VirtualLines:
            """The list."""
            return self.lines

    def __init__(
        self,
        source: RowSource | None = None,
        *,
        cursor: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(
            id=id, classes=" ".join([*(["-list"] if cursor else []), classes or ""]).strip() or None
        )
        self._source: RowSource = RowList() if source is None else source
        self._with_cursor = cursor
        self._cursor = 0
        self._hover: int | None = None
        self._drawing: dict[str, Style] = {}

    @property
    def source(self) -> RowSource:
        """What is shown."""
        return self._source

    @property
    def cursor(self) -> int | None:
        """The cursor's row; `None` on a page without one, or when there are no rows."""
        return self._cursor if self._with_cursor and len(self._source) else None

    def show(self, source: RowSource, *, cursor: int = 0) -> None:
        """Show other rows from their beginning, or with the cursor at `cursor`. Says nothing about it."""
        self._source = source
        self._cursor = max(0, min(cursor, len(source) - 1))
        self._hover = None
        self._measure()
        self.scroll_to(y=0, animate=False)
        if self._cursor:
            self.call_after_refresh(self._reveal)
        self.refresh()

    def replace(self, source: RowSource) -> None:
        """Show a newer state of the same rows; the place and the cursor stay."""
        self._source = source
        self.grown()

    def grown(self) -> None:
        """The source has more rows, or the same ones read differently; follow the end if it was shown."""
        at_end = self._with_cursor and self._cursor == self.virtual_size.height - 1 and self._cursor > 0
        self._measure()
        if at_end:
            self.move_cursor(len(self._source) - 1)
        elif self._with_cursor:
            self._cursor = max(0, min(self._cursor, len(self._source) - 1))
        self.refresh()

    def move_cursor(self, index: int) -> None:
        """Put the cursor on a row and bring it into view."""
        index = max(0, min(index, len(self._source) - 1))
        if not self._with_cursor or not len(self._source) or index == self._cursor:
            self._reveal()
            return
        self._cursor = index
        self._reveal()
        self.refresh()
        self.post_message(self.Highlighted(self, index))

    @property
    def room(self) -> int:
        """Columns that lines may be broken for: a scrollbar that is not there yet covers no letter."""
        bar = 0 if self.show_vertical_scrollbar else self.styles.scrollbar_size_vertical
        return max(0, self.scrollable_content_region.width - bar)

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._source))

    def _reveal(self) -> None:
        top, height = round(self.scroll_target_y), self.scrollable_content_region.height
        if self._with_cursor and height:
            if self._cursor < top:
                self.scroll_to(y=self._cursor, animate=False)
            elif self._cursor >= top + height:
                self.scroll_to(y=self._cursor - height + 1, animate=False)

    def on_mount(self) -> None:
        """Measure what the constructor was given."""
        self._measure()

    def on_resize(self) -> None:
        """Rows are made for the width they are shown in."""
        self._measure()
        self._reveal()

    def notify_style_update(self) -> None:
        """Another theme: every style is looked up again."""
        super().notify_style_update()
        self._drawing.clear()

    def action_move(self, step: int) -> None:
        """Move the cursor, or scroll by a row."""
        if self._with_cursor:
            self.move_cursor(self._cursor + step)
        else:
            self.scroll_to(y=self.scroll_target_y + step, animate=False)

    def action_page(self, step: int) -> None:
        """Move by what is visible."""
        self.action_move(step * max(1, self.scrollable_content_region.height - 1))

    def action_edge(self, side: int) -> None:
        """Go to the first row or the last."""
        self.action_move(side * len(self._source))

    def action_choose(self) -> None:
        """Say that the row under the cursor was chosen."""
        if self.cursor is not None:
            self.post_message(self.Chosen(self, self._cursor))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on the row and chooses it."""
        index = self._index_at(event)
        if index is not None:
            event.stop()
            self.move_cursor(index)
            self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show which row a click would choose."""
        self._hover_over(self._index_at(event))

    def on_leave(self) -> None:
        """The mouse went away."""
        self._hover_over(None)

    def _hover_over(self, index: int | None) -> None:
        if index != self._hover:
            self._hover = index
            self.refresh()

    def _index_at(self, event: events.MouseEvent) -> int | None:
        if not self._with_cursor:
            return None
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        index = offset.y + self.scroll_offset.y
        return index if index < len(self._source) else None

    @property
    def allow_select(self) -> bool:
        """A page's text can be selected with the mouse; a list's rows are chosen instead."""
        return not self._with_cursor

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, row by row."""
        width = self.scrollable_content_region.width
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else len(self._source) - 1
        texts: list[str] = []
        for index in range(max(0, first), min(last, len(self._source) - 1) + 1):
            span = selection.get_span(index)
            if span is not None:
                start, end = span
                text = self._source.row(index, width).text
                texts.append(text[start:] if end == -1 else text[start:end])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self._source):
            return Strip.blank(width, self.rich_style)
        return self._drawn(self._source.row(index, width), index, width).apply_offsets(0, index)

    def _drawn(self, line: Row, index: int, width: int) -> Strip:
        base = self.rich_style
        over = Style.null()
        if self._with_cursor and index == self._cursor:
            over = self._style("cursor")
        elif index == self._hover:
            over = self._style("hover")
        selection = self.text_selection
        selected = selection.get_span(index) if selection is not None else None
        segments = [Segment(text, base + style + over) for text, style in self._pieces(line, selected)]
        return Strip(segments).adjust_cell_length(width, base + over)

    def _pieces(self, line: Row, selected: tuple[int, int] | None) -> list[tuple[str, Style]]:
        layers: list[tuple[int, int, Style]] = [
            (start, end, self._style(mark)) for start, end, mark in line.spans
        ]
        if selected is not None:
            start, end = selected
            style = self.screen.get_component_rich_style("screen--selection")
            layers.append((start, len(line.text) if end == -1 else min(end, len(line.text)), style))
        cuts = sorted({0, len(line.text), *(cut for layer in layers for cut in layer[:2])})
        return [
            (
                line.text[begin:finish],
                sum(
                    (style for start, end, style in layers if start <= begin and end >= finish), Style.null()
                ),
            )
            for begin, finish in pairwise(cuts)
            if finish > begin
        ]

    def _style(self, name: str) -> Style:
        style = self._drawing.get(name)
        if style is None:
            style = self.get_component_rich_style(f"virtual-lines--{name}")
            if name != "cursor" and name != "hover":
                # Only the ink: the background is the row's, or the cursor's.
                style = Style(
                    color=style.color, bold=style.bold, italic=style.italic, underline=style.underline
                )
            elif name == "hover":
                style = Style(bgcolor=style.bgcolor)
            self._drawing[name] = style
        return style
