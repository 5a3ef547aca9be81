"""Tables of rows: columns that come and go with the width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from textual.content import Content
from textual.widget import Widget

from tui.core.text import visible_line
from tui.widgets.rows import Mark, Row, fit, row

__all__ = ["Cell", "Column", "TableTitles", "layout", "table_row", "titles_row"]

Cell = tuple[str, Mark | None]
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        key: Its name in a row's cells.
        title: Stands above it.
        least: Cells it needs; it is left out when there are fewer.
        most: Cells it takes when there are more.
        rank: In which order columns get room, 0 first; those of rank 0 are never left out.
        right: Whether it is aligned to the right.
    """

    key: str
    title: str
    least: int
    most: int
    rank: int
    right: bool = False


@lru_cache(maxsize=64)
def layout(columns: tuple[Column, ...], width: int) -> tuple[tuple[Column, int], ...]:
    """The columns that fit into `width` and how wide each is; left-over room goes to the first to take it."""
    chosen: set[str] = set()
    used = 1
    for column in sorted(columns, key=lambda column: column.rank):
        need = column.least + (_GAP if chosen else 0)
        if used + need <= width or column.rank == 0:
            chosen.add(column.key)
            used += need
        else:
            break
    widths: dict[str, int] = {}
    for column in columns:
        if column.key in chosen:
            extra = max(0, min(column.most - column.least, width - used))
            widths[column.key] = column.least + extra
            used += extra
    return tuple((column, widths[column.key]) for column in columns if column.key in chosen)


def table_row(
    columns: tuple[tuple[Column, int], ...],
    cells: Mapping[str, Cell],
    *,
    tail: tuple[int, str, Mark] | None = None,
    width: int = 0,
) -> Row:
    """One row of a table; foreign text is made safe here.

    Args:
        columns: From `layout`.
        cells: By column key.
        tail: `(n, sentence, mark)` puts a sentence in the place of every column after the first `n`.
        width: With `tail`, the whole row's width.
    """
    shown = columns if tail is None else columns[: tail[0]]
    parts: list[str | tuple[str, Mark]] = [" "]
    used = 1
    for number, (column, cells_wide) in enumerate(shown):
        text, mark = cells[column.key]
        cell = fit(visible_line(text), cells_wide, right=column.right)
        if number:
            parts.append(" " * _GAP)
        parts.append(cell if mark is None else (cell, mark))
        used += cells_wide + (_GAP if number else 0)
    if tail is not None:
        parts.append(" " * _GAP)
        parts.append((fit(visible_line(tail[1]), max(0, width - used - _GAP)), tail[2]))
    return row(*parts)


def titles_row(columns: tuple[Column, ...], width: int) -> Row:
    """The line above the columns."""
    return table_row(layout(columns, width), {column.key: (column.title, None) for column in columns})


class TableTitles(Widget):
    """Shows the line above the columns of the list below it."""

    DEFAULT_CSS = "TableTitles { height: 1; background: $panel; color: $text-muted; }"

    def __init__(self, titles: Callable[[int], Row]) -> None:
        super().__init__()
        self._titles = titles

    def render(self) -> Content:
        """The titles for this width, less the column that the list keeps for its scrollbar."""
        return Content(self._titles(self.size.width - 1).text)
