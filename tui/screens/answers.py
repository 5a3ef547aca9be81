"""The structured answers of a conversation as one table, to be saved as CSV or JSON Lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.core.structured.table import AnswerTable, cell_text
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Row, RowList

__all__ = ["AnswersScreen"]

_WIDEST: Final = 32
_NOTHING: Final = "No JSON answer yet: /schema asks for one."
_KEYS: Final = "←→ columns   c CSV   j JSON Lines   Esc close"


class AnswersScreen(ListDialog[None]):
    """The table; what is saved goes by way of `save` (text, path, title)."""

    NAME = "answers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False, id="dialog.close"),
        Binding("left,h", "shift(-1)", "Columns to the left", show=False, id="answers.left"),
        Binding("right,l", "shift(1)", "Columns to the right", show=False, id="answers.right"),
        Binding("c", "save('csv')", "Save as CSV", show=False, id="answers.csv"),
        Binding("j", "save('jsonl')", "Save as JSON Lines", show=False, priority=True, id="answers.jsonl"),
    ]

    def __init__(self, table: AnswerTable, save: Callable[[str, str, str], None]) -> None:
        super().__init__()
        self._table = table
        self._save = save
        self._first = 0

    def compose(self) -> ComposeResult:
        """The table, with what a cell holds in full below it."""
        rows, columns = len(self._table.rows), len(self._table.columns)
        title = f"{rows} JSON answer{'s' * (rows != 1)}, {columns} column{'s' * (columns != 1)}"
        yield self._framed(title=title, keys=_KEYS)

    def on_mount(self) -> None:
        """The keys go to the rows."""
        self._show_rows(self._rows(), 0, _NOTHING)
        self._list.focus()
        self._describe()

    def on_resize(self) -> None:
        """Columns are for the width there is."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self._list.replace(self._rows())
        self._titles.refresh()
        self._describe()

    def _columns(self) -> tuple[Column, ...]:
        columns = [Column("#", "Turn", 4, 4, 0, right=True)]
        for rank, name in enumerate(self._table.columns[self._first : self._first + 40], 1):
            cells = [cell_text(row[name]) for row in self._table.rows[:200] if name in row]
            wide = max(map(cell_len, [name, *cells]))
            columns.append(Column(name, name, min(max(wide, 4), _WIDEST), min(wide, 2 * _WIDEST), rank))
        return tuple(columns)

    def _rows(self) -> RowList:
        columns = layout(self._columns(), max(20, self._list.size.width - 1))
        rows: list[Row] = []
        for answer, values in zip(self._table.answers, self._table.rows, strict=True):
            cells: dict[str, Cell] = {"#": (str(answer.turn), "dim")}
            for column, _ in columns[1:]:
                value = values.get(column.key)
                text = cell_text(value) if column.key in values else ""
                cells[column.key] = (text, "number" if isinstance(value, int | float) else None)
            rows.append(table_row(columns, cells))
        return RowList(rows)

    def _titles_row(self, width: int) -> Row:
        return titles_row(self._columns(), width)

    def _describe(self) -> None:
        shown = len(layout(self._columns(), max(20, self._list.size.width - 1))) - 1
        total = len(self._table.columns)
        if not total:
            self._say("What later turns answer in JSON comes here.")
        elif shown < total:
            self._say(f"Columns {self._first + 1} to {min(self._first + shown, total)} of {total}.")
        else:
            self._say("Nested values stand under their paths; a column is there if any answer has it.")

    def _choose(self) -> None:
        self.dismiss(None)

    def action_shift(self, by: int) -> None:
        """Show other columns."""
        self._first = max(0, min(self._first + by, len(self._table.columns) - 1))
        self._draw()

    def action_save(self, form: str) -> None:
        """Write the table to a file."""
        if not self._table.rows:
            self._say("There is nothing to save.", "$text-warning")
        elif form == "csv":
            self._save(self._table.csv(), "answers.csv", "Save as CSV")
        else:
            self._save(self._table.json_lines(), "answers.jsonl", "Save as JSON Lines")

    def action_close(self) -> None:
        """Close the table."""
        self.dismiss(None)
