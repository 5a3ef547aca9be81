"""The forms that answers can be asked for in: prose, JSON mode, the schemas of the library, or as typed."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.core.structured.output_format import JSON_MODE
from tui.screens.list_dialog import ListDialog
from tui.session.schemas import SchemaLibrary
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Row, RowList
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["SchemaScreen"]

_COLUMNS: Final = (
    Column("mark", "", 1, 1, 0),
    Column("name", "Form", 12, 24, 0),
    Column("fields", "Fields", 20, 120, 1),
)
_HELP: Final = "Fields are typed as: name, age int, tags: list of string, kind a|b, home {street, zip int}"


class SchemaScreen(ListDialog[str | None]):
    """Gives what was chosen as `/schema` takes it, or `None`.

    Args (of the constructor):
        library: The named schemas.
        now: The format in force, as JSON text; empty for prose.
    """

    NAME = "schemas"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", show=False, id="dialog.close"),
        Binding("down", "to_list", "To the list", show=False, id="schemas.list"),
    ]
    DEFAULT_CSS = """
    SchemaScreen {
        & Dialog { max-width: 100; max-height: 26; }
        & Input { margin-bottom: 1; }
    }
    """

    def __init__(self, library: SchemaLibrary, now: str) -> None:
        super().__init__()
        self._library = library
        self._now = now
        self._typed = Input(
            placeholder="Fields, the path of a JSON Schema, or choose below", id="schemas-typed"
        )

    def compose(self) -> ComposeResult:
        """A line to type, and the list."""
        yield self._framed(
            self._typed, title="The form of the next answers", keys="Enter choose   ↓↑ list   Esc close"
        )

    def on_mount(self) -> None:
        """Fill the list; the one in force is under the cursor."""
        found = [number for number, (_, text, _, _) in enumerate(self._entries()) if text == self._now]
        self._show_rows(self._rows(), found[0] if found else 0, "")
        self._typed.focus()
        self._describe()

    def on_resize(self) -> None:
        """Columns are for the width there is."""
        self.call_after_refresh(lambda: self._list.replace(self._rows()))

    def _entries(self) -> list[tuple[str, str, str, str]]:
        """Each row: what it is chosen by, its format, its name, its fields."""
        entries = [
            ("off", "", "Prose", "no form is asked for"),
            ("json", JSON_MODE, "JSON mode", "any JSON object; the prompt must say JSON"),
        ]
        for entry in self._library.entries:
            fields = ", ".join(entry.fields)
            if entry.problems:
                fields = f"(breaks strict rules at {len(entry.problems)} places) {fields}"
            entries.append((entry.name, entry.text_format, entry.name, fields))
        return entries

    def _rows(self) -> RowList:
        columns = layout(_COLUMNS, max(40, self._list.size.width - 1))
        rows: list[Row] = []
        for _, text, name, fields in self._entries():
            cells: dict[str, Cell] = {
                "mark": ("●" if text == self._now else "", "accent"),
                "name": (name, None),
                "fields": (fields, "dim"),
            }
            rows.append(table_row(columns, cells))
        return RowList(rows)

    def _titles_row(self, width: int) -> Row:
        return titles_row(_COLUMNS, width)

    def _describe(self) -> None:
        if self._library.complaints:
            self._say("\n".join([_HELP, *self._library.complaints[:3]]))
        else:
            self._say(f"{_HELP}\nNamed schemas are files of the config folder: schemas/*.json")

    def _choose(self) -> None:
        self.dismiss(self._entries()[self._list.cursor or 0][0])

    @on(Input.Submitted, "#schemas-typed")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value)
        else:
            self._choose()

    def action_to_list(self) -> None:
        """Down in the line goes to the list."""
        if self.query_one(VirtualLines).has_focus:
            return
        self._list.focus()

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
