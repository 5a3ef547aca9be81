"""Rows: lines of text with marked spans, as `VirtualLines` draws them.

A row is data, made off the event loop where it is much; what it looks like is the theme's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from rich.cells import cell_len, chop_cells

from tui.core.text import visible_line

__all__ = ["Mark", "Row", "RowList", "RowSource", "Span", "fit", "row", "wrap"]

Mark = Literal[
    "accent",
    "dim",
    "error",
    "faint",
    "fold",
    "heading",
    "key",
    "match",
    "number",
    "string",
    "success",
    "warning",
    "word",
]
Span = tuple[int, int, Mark]

_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Row:
    """One line on screen.

    Attributes:
        text: Safe for a terminal (`visible_line`), without line breaks.
        spans: `(start, end, mark)` in characters; later ones lie over earlier ones.
        hang: Columns by which the continuation lines of a wrapped row are indented.
        words: Break it between words where that wastes little.
    """

    text: str
    spans: tuple[Span, ...] = ()
    hang: int = 0
    words: bool = False


def row(*parts: str | tuple[str, Mark], hang: int = 0, words: bool = False) -> Row:
    """Join parts into a row; a part is text, or text and its mark. Foreign text is made safe here."""
    texts: list[str] = []
    spans: list[Span] = []
    position = 0
    for part in parts:
        text = visible_line(part if isinstance(part, str) else part[0])
        if not isinstance(part, str) and text:
            spans.append((position, position + len(text), part[1]))
        texts.append(text)
        position += len(text)
    return Row("".join(texts), tuple(spans), hang, words)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Make `text` exactly `width` cells wide: padded, or cut with an ellipsis."""
    cells = cell_len(text)
    if cells > width:
        text = _cut(text, width)
        cells = cell_len(text)
    padding = " " * (width - cells)
    return padding + text if right else text + padding


def _cut(text: str, width: int) -> str:
    if width <= 0:
        return ""
    pieces = chop_cells(text[: width + 1], width - 1) if width > 1 else []
    return (pieces[0] if pieces else "") + _ELLIPSIS


def wrap(rows: Iterable[Row], width: int) -> list[Row]:
    """Break rows that are wider than `width` cells; nothing is left out."""
    wrapped: list[Row] = []
    width = max(width, 8)
    for line in rows:
        if len(line.text) <= width and (line.text.isascii() or cell_len(line.text) <= width):
            wrapped.append(line)
        else:
            wrapped.extend(_broken(line, width))
    return wrapped


def _broken(line: Row, width: int) -> Iterable[Row]:
    hang = min(line.hang, width // 2)
    pad = " " * hang
    start = 0
    for number, piece in enumerate(_pieces(line.text, width, width - hang, line.words)):
        end = start + len(piece)
        shift = (hang if number else 0) - start
        spans: tuple[Span, ...] = tuple(
            (max(first, start) + shift, min(last, end) + shift, mark)
            for first, last, mark in line.spans
            if first < end and last > start
        )
        yield Row(pad + piece if number else piece, spans, line.hang)
        start = end


def _pieces(text: str, first: int, rest: int, words: bool) -> Iterable[str]:
    ascii_only = text.isascii()
    at, width = 0, first
    while at < len(text):
        # A cell may take several characters (combining marks, emoji), so there is more to chop than cells.
        piece = text[at : at + width] if ascii_only else chop_cells(text[at : at + 8 * width], width)[0]
        if words and at + len(piece) < len(text):
            space = piece.rfind(" ")
            if space > len(piece) // 2:
                piece = piece[: space + 1]
        yield piece
        at += len(piece)
        width = rest


class RowSource(Protocol):
    """Rows by index; made when they are asked for, so that a long list costs nothing to open."""

    def __len__(self) -> int:
        """How many rows there are now; it may grow."""
        ...

    def row(self, index: int, width: int) -> Row:
        """The row at `index`, for `width` cells."""
        ...


@dataclass(frozen=True, slots=True)
class RowList:
    """Rows that are there already."""

    rows: Sequence[Row] = field(default_factory=tuple[Row, ...])

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def row(self, index: int, width: int) -> Row:
        """The row at `index`; `width` was seen to when it was wrapped."""
        return self.rows[index]
