"""A dialog with a list: titles, rows, words where there are none, a line about the one under the cursor."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.content import Content
from textual.screen import ScreenResultType
from textual.widget import Widget
from textual.widgets import Static

from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.columns import TableTitles
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Row, RowSource
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["ListDialog"]


class ListDialog(ModalScreen[ScreenResultType]):
    """What such dialogs share; one of them says what its rows are and what is done with them.

    Attributes:
        NAME: Begins the ids of its widgets: `NAME-list`, `NAME-empty`, `NAME-detail`.
    """

    NAME: ClassVar[str] = ""
    DEFAULT_CSS = """
    ListDialog {
        align: center middle;
        & .dialog--empty { display: none; }
        &.-empty .dialog--empty { display: block; }
        &.-empty VirtualLines, &.-empty TableTitles { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._list = VirtualLines(cursor=True, id=f"{self.NAME}-list")
        self._titles = TableTitles(lambda width: self._titles_row(width))
        # Held, not looked up: a list that comes when the dialog has just been closed does no harm.
        self._nothing = Static("", id=f"{self.NAME}-empty", classes="dialog--empty", markup=False)
        self._detail = Static("", id=f"{self.NAME}-detail", classes="dialog--detail", markup=False)

    def _framed(self, *above: Widget, title: str, keys: str) -> Dialog:
        """The dialog, with these widgets above the list."""
        return Dialog(
            *above,
            self._titles,
            self._list,
            self._nothing,
            self._detail,
            title=title,
            keys=keys,
        )

    def _titles_row(self, width: int) -> Row:
        """The line above the columns."""
        raise NotImplementedError

    def _describe(self) -> None:
        """Say something of the row under the cursor."""
        raise NotImplementedError

    def _choose(self) -> None:
        """Do what Enter does with the row under the cursor."""
        raise NotImplementedError

    def _show_rows(self, rows: RowSource, cursor: int, nothing: str) -> None:
        """List other rows; `nothing` is said where there are none."""
        self._list.show(rows, cursor=cursor)
        self._titles.refresh()
        self.set_class(not len(rows), "-empty")
        self._nothing.update(Content(nothing))

    def _say(self, text: str, style: str = "$text-muted", *, above: str = "") -> None:
        """Say something below the list, line by line; `above` it a line in the text's own colour."""
        lines = [Content(visible_line(above))] if above else []
        lines += [Content.styled(visible_line(line), style) for line in text.split("\n")]
        self._detail.update(Content("\n").join(lines))

    @on(VirtualLines.Highlighted)
    def _moved(self, event: VirtualLines.Highlighted) -> None:
        event.stop()
        self._describe()

    @on(VirtualLines.Chosen)
    def _row_chosen(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self._choose()
