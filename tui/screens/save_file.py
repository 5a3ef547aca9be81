"""Where a file goes: a path, and a question before one that is there is replaced."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui.core.errors import InputError
from tui.core.export.request import Export
from tui.core.text import visible_line
from tui.export_files import export_path, taken, write_export
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.path_input import PathInput

__all__ = ["SaveFile"]


class SaveFile(ModalScreen[str | None]):
    """Writes a file readable by its owner alone, and gives its path; `None` where nothing was written.

    Args (of the constructor):
        data: What is written.
        path: What stands in the line at first.
        title: Of the dialog.
        at_once: Write without waiting for Enter, where nothing is replaced.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close")
    ]
    DEFAULT_CSS = """
    SaveFile {
        align: center middle;
        & Dialog { width: 76; max-width: 90%; height: auto; padding: 1 2; }
        & Static { height: auto; margin-top: 1; }
    }
    """

    def __init__(self, data: bytes, path: str, title: str, at_once: bool = False) -> None:
        super().__init__()
        self._data = data
        self._title = title
        self._at_once = at_once
        self._asked = ""
        self._path = PathInput(path, placeholder="Path of the file", id="save-path")
        self._said = Static("", id="save-said", markup=False)

    def compose(self) -> ComposeResult:
        """The path, and what is to be said of it."""
        yield Dialog(self._path, self._said, title=self._title, keys="Tab complete   Enter save   Esc cancel")

    async def on_mount(self) -> None:
        """The keys go to the path."""
        self._path.focus()
        self._path.cursor_position = len(self._path.value)
        self._say("The file is readable by you alone.", "$text-muted")
        if self._at_once:
            await self._write(self._path.value)

    def _say(self, text: str, style: str) -> None:
        self._said.update(Content.styled(visible_line(text), style))

    @on(Input.Changed, "#save-path")
    def _changed(self, event: Input.Changed) -> None:
        if event.value != self._asked:
            self._asked = ""

    @on(Input.Submitted, "#save-path")
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        await self._write(event.value)

    async def _write(self, typed: str) -> None:
        made = Export(self._data, "")
        try:
            path = export_path(typed)
            if taken(made, path) and self._asked != typed:
                self._asked = typed
                self._say(f"{path} is there already. Enter again replaces it.", "$text-warning")
                return
            await asyncio.to_thread(write_export, made, path, over=self._asked == typed)
        except InputError as error:
            self._say(str(error), "$text-error")
        else:
            self.dismiss(str(path))

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)
