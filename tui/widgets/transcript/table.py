"""Markdown tables: column widths that fit, cells that wrap, light lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.widgets.transcript.inline import inline_spans
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Row, Span, indent
from tui.widgets.transcript.wrap import wrap

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Cells", "Table", "fitted", "head_rows", "read_table", "row_rows", "table_rows"]

_NARROWEST: Final = 5
"""Columns are not squeezed below this many cells; a table that would need it is shown as records."""

Cells = list[list[Span]]
"""One table row: the styled text of each cell."""


@dataclass(slots=True)
class Table:
    """A table taken apart; `rows` may grow while it streams."""

    aligns: list[str]
    head: Cells
    rows: list[Cells] = field(default_factory=list[Cells])
    natural: list[int] = field(default_factory=list[int])
    """Cells (columns of the terminal) each column would like, over `measured` rows."""
    measured: int = 0

    def measure(self) -> list[int]:
        """The natural width of each column; looks only at rows added since the last call."""
        if not self.natural:
            self.natural = [max(1, _width(cell)) for cell in self.head]
        for row in self.rows[self.measured :]:
            for index, cell in enumerate(row[: len(self.natural)]):
                self.natural[index] = max(self.natural[index], _width(cell))
        self.measured = len(self.rows)
        return self.natural

    def measure_with(self, rows: Sequence[Cells]) -> list[int]:
        """As `measure`, with rows that are not there to stay."""
        natural = list(self.measure())
        for row in rows:
            for index, cell in enumerate(row[: len(natural)]):
                natural[index] = max(natural[index], _width(cell))
        return natural


def _width(spans: Sequence[Span]) -> int:
    text = "".join(part for part, _ in spans)
    if "\n" in text:
        return max(cell_len(line) for line in text.split("\n"))
    return cell_len(text)


def read_table(tokens: Sequence[Token], palette: Palette, base: Style) -> Table:
    """Read the tokens from `table_open` to `table_close`."""
    table = Table([], [])
    row: Cells = []
    in_head = False
    for token in tokens:
        match token.type:
            case "thead_open":
                in_head = True
            case "thead_close":
                in_head = False
            case "tr_open":
                row = []
            case "th_open":
                style = str(token.attrGet("style") or "")
                table.aligns.append(style.removeprefix("text-align:") or "left")
            case "inline":
                style = base + Style(bold=True) if in_head else base
                row.append(inline_spans(token.children or [], palette, style))
            case "tr_close":
                if in_head:
                    table.head = row
                else:
                    table.rows.append(row)
            case _:
                pass
    return table


def fit(natural: Sequence[int], available: int) -> list[int] | None:
    """Share `available` cells among columns: the narrow ones keep what they need.

    Returns:
        The widths, or None if some column would become narrower than is readable.
    """
    if sum(natural) <= available:
        return list(natural)
    widths = [0] * len(natural)
    left, open_columns = available, sorted(range(len(natural)), key=lambda index: natural[index])
    while open_columns:
        share = left // len(open_columns)
        column = open_columns[0]
        if natural[column] > share:
            break
        widths[column] = natural[column]
        left -= natural[column]
        open_columns.pop(0)
    for position, column in enumerate(sorted(open_columns)):
        widths[column] = left // len(open_columns) + (position < left % len(open_columns))
        if widths[column] < _NARROWEST:
            return None
    return widths


def table_rows(table: Table, width: int, palette: Palette) -> list[Row]:
    """Render a table at most `width` cells wide; nothing in it is clipped."""
    natural = table.measure()
    if not natural:
        return []
    widths = fitted(natural, width)
    if widths is None:
        return _records(table, width, palette)
    wraps = any(size < want for size, want in zip(widths, natural, strict=True))
    rows = head_rows(table, widths, palette)
    for number, cells in enumerate(table.rows):
        rows.extend(row_rows(table, cells, number, widths, wraps, palette))
    return rows


def fitted(natural: Sequence[int], width: int) -> list[int] | None:
    """The widths of columns in a table of `width` cells, lines and padding taken off; see `fit`."""
    return fit(natural, width - 3 * (len(natural) - 1) - 2)


def head_rows(table: Table, widths: Sequence[int], palette: Palette) -> list[Row]:
    """The heading row and the line under it."""
    ruler = "┼".join("─" * (size + 2) for size in widths)
    rows = _row(table.head, widths, table.aligns, palette)
    rows.append(Row([Segment(ruler, palette.table_line)], end=0))
    return rows


def row_rows(
    table: Table, cells: Cells, number: int, widths: Sequence[int], wraps: bool, palette: Palette
) -> list[Row]:
    """One body row; `wraps` says whether any cell of the table is wrapped."""
    rows: list[Row] = []
    if wraps and number:
        # Without a line between them nobody can tell where a wrapped row ends.
        ruler = "┼".join("┈" * (size + 2) for size in widths)
        rows.append(Row([Segment(ruler, palette.table_line)], end=0))
    rows.extend(_row(cells, widths, table.aligns, palette))
    return rows


def _row(cells: Cells, widths: Sequence[int], aligns: Sequence[str], palette: Palette) -> list[Row]:
    columns = [wrap(cell, size) for cell, size in zip(cells, widths, strict=False)]
    height = max([len(column) for column in columns] or [1])
    bar = Segment("│", palette.table_line)
    rows: list[Row] = []
    for number in range(height):
        segments: list[Segment] = []
        for index, size in enumerate(widths):
            if index:
                segments.append(bar)
            part = (
                columns[index][number].segments
                if index < len(columns) and number < len(columns[index])
                else []
            )
            blank = size - sum(cell_len(segment.text) for segment in part)
            align = aligns[index] if index < len(aligns) else "left"
            left = blank if align == "right" else blank // 2 if align == "center" else 0
            segments.append(Segment(" " * (left + 1), palette.text))
            segments.extend(part)
            segments.append(Segment(" " * (blank - left + 1), palette.text))
        row = Row(segments)
        row.skip = 1
        row.end = len(row.text.rstrip(" "))
        rows.append(row)
    return rows


def _records(table: Table, width: int, palette: Palette) -> list[Row]:
    """Too many columns for the width: each row as lines of "heading: value"."""
    rows: list[Row] = []
    for number, cells in enumerate(table.rows or [[]]):
        if number:
            rows.append(Row([Segment("┈" * min(width, 12), palette.table_line)], end=0))
        for index, head in enumerate(table.head):
            value = cells[index] if index < len(cells) else []
            part = wrap([*head, (": ", palette.muted), *value], max(1, width - 2))
            lead, rest = Segment("", palette.text), Segment("  ", palette.text)
            indent(part[:1], lead, lead, copied=False)
            indent(part[1:], rest, rest, copied=False)
            rows.extend(part)
    return rows
