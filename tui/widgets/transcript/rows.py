"""A row: one line of the transcript as drawn, and what of it is copied when it is selected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

__all__ = ["HARD", "Row", "Span", "indent", "pad"]


Span = tuple[str, Style]

HARD = "\n"
"""`Row.join` of a row that starts a line of its own; soft-wrapped rows have " " or ""."""


class Row:
    """One drawn line.

    Attributes:
        segments: What is drawn, from the left edge; shorter than the pane until `pad`.
        skip: How many characters at the start are decoration (gutter, bars) and never copied.
        end: The index, in characters, after the last one that can be copied.
        join: What stands between the row above and this one when both are copied.
    """

    __slots__ = ("end", "join", "segments", "skip", "strip")

    def __init__(
        self, segments: list[Segment], skip: int = 0, end: int | None = None, join: str = HARD
    ) -> None:
        self.segments = segments
        self.skip = skip
        self.end = sum(len(segment.text) for segment in segments) if end is None else end
        self.join = join
        # The painted Strip, made by the pane when the row is first on screen.
        self.strip: object | None = None

    @classmethod
    def of(cls, spans: Iterable[Span], join: str = HARD) -> Row:
        """Make a row of styled text, all of which can be copied."""
        return cls([Segment(text, style) for text, style in spans], join=join)

    @property
    def text(self) -> str:
        """All characters of the row, decoration included."""
        return "".join([segment[0] for segment in self.segments])

    @property
    def copyable(self) -> str:
        """The characters that a selection of the whole row copies."""
        return self.text[self.skip : self.end]

    def __repr__(self) -> str:
        return f"Row({self.text!r}, skip={self.skip}, end={self.end}, join={self.join!r})"


def indent(rows: Sequence[Row], first: Segment, rest: Segment, *, copied: bool) -> None:
    """Put `first` before the first row and `rest` before the others, in place.

    Args:
        rows: The rows; both segments must be equally wide.
        first: For the first row, for instance a list marker.
        rest: For the following rows, for instance blanks as wide as the marker.
        copied: Whether they are part of the text (list markers) or decoration (bars). Rows that
            continue a soft-wrapped line never copy their indentation.
    """
    segment = first
    for row in rows:
        row.segments.insert(0, segment)
        size = len(segment.text)
        if not (copied and row.skip == 0 and row.join == HARD):
            row.skip += size
        row.end += size
        segment = rest


def pad(row: Row, width: int, style: Style) -> Row:
    """Fill `row` up to `width` cells with blanks that are not copied, in place; returns it."""
    missing = width - sum(cell_len(segment.text) for segment in row.segments)
    if missing > 0:
        row.segments.append(Segment(" " * missing, style))
    return row
