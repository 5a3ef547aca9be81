"""A text area for JSON, coloured without a parser: in JSON no token goes over a line's end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.widgets.text_area import TextAreaTheme

from tui.core.body_text import guarded
from tui.widgets.safe_text_area import SafeTextArea

__all__ = ["JsonArea"]

_THEME: Final = "outcrop-json"
_TOKEN: Final = re.compile(
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*"?)(?P<name>\s*:)?'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<word>\b(?:true|false|null)\b)|(?P<sign>[{}\[\],:])"
)
_LONGEST: Final = 5000
"""Characters of a line that are coloured."""

Spans = list[tuple[int, int | None, str]]


class _Lines(defaultdict[int, Spans]):
    """The spans of a line, found when it is drawn."""

    def __init__(self, line: Callable[[int], str]) -> None:
        super().__init__()
        self._line = line

    def __bool__(self) -> bool:
        return True  # there is always something to colour

    def __missing__(self, row: int) -> Spans:
        self[row] = spans = list(_spans(self._line(row)[:_LONGEST]))
        return spans


def _spans(line: str) -> Spans:
    """`(start, end, style)`, in bytes of UTF-8, as Textual counts them."""
    spans: Spans = []
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup or "sign"
        start, end = match.span()
        if kind in ("name", "string"):
            start, end = match.span("string")
            if match["string"].startswith('"‹kept '):
                kind = "kept"
        spans.append((_bytes(line, start), _bytes(line, end), kind))
    return spans


def _bytes(line: str, at: int) -> int:
    return at if line.isascii() else len(line[:at].encode("utf-8", "surrogatepass"))


class JsonArea(SafeTextArea):
    """JSON to be edited, in the theme's colours; what a terminal would act on is pasted as an escape."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"json-area--{kind}" for kind in ("name", "string", "number", "word", "sign", "kept")
    }
    DEFAULT_CSS = """
    JsonArea {
        & > .json-area--name { color: $text-primary; }
        & > .json-area--string { color: $text-success; }
        & > .json-area--number { color: $text-warning; }
        & > .json-area--word { color: $text-accent; }
        & > .json-area--sign { color: $text-muted; }
        & > .json-area--kept { color: $text-warning; text-style: italic; }
    }
    """

    def __init__(self, text: str, *, id: str | None = None) -> None:
        super().__init__(
            guarded(text),
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=True,
            highlight_cursor_line=False,
        )
        self._highlights = _Lines(self._line_at)

    def on_mount(self) -> None:
        """Take the colours of the theme."""
        self._colour()

    def notify_style_update(self) -> None:
        """Another theme, other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._colour()

    def _colour(self) -> None:
        styles: dict[str, Style] = {}
        for kind in ("name", "string", "number", "word", "sign", "kept"):
            style = self.get_component_rich_style(f"json-area--{kind}", partial=True)
            styles[kind] = Style(color=style.color, bold=style.bold, italic=style.italic)
        self.register_theme(TextAreaTheme(_THEME, syntax_styles=styles))
        if self.theme == _THEME:
            self._set_theme(_THEME)
        else:
            self.theme = _THEME

    def _line_at(self, row: int) -> str:
        return self.document.get_line(row) if row < self.document.line_count else ""

    def replace_all(self, text: str) -> None:
        """Put another text in the place of this one; it can be undone."""
        document = self.document
        self.replace(guarded(text), (0, 0), document.end, maintain_selection_offset=False)

    def jump(self, line: int, column: int) -> None:
        """Put the cursor on a character, both counted from 1, and bring it to the middle of the view."""
        row = max(0, min(line - 1, self.document.line_count - 1))
        self.move_cursor((row, max(0, min(column - 1, len(self._line_at(row))))), center=True)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = guarded(event.text)
        await super()._on_paste(event)
