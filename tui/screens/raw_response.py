"""One stored response as the server has it: its raw object, to be read and copied."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.inspection.json_rows import json_rows
from tui.widgets.rows import RowList, wrap
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["RawResponseScreen"]


class RawResponseScreen(ModalScreen[None]):
    """Shows a response object until it is closed.

    Args (of the constructor):
        response_id: Whose it is.
        raw: The object, as it came.
        max_display_chars: Characters of one string that are shown; copying gives all. 0 is no limit.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False, id="dialog.close"),
        Binding("c,y", "copy", "Copy", show=False, id="raw.copy"),
    ]
    DEFAULT_CSS = "RawResponseScreen { align: center middle; }"

    def __init__(self, response_id: str, raw: Mapping[str, Any], max_display_chars: int) -> None:
        super().__init__()
        self._id = response_id
        self._text = json.dumps(raw, ensure_ascii=False, indent=2)
        self._chars = max_display_chars
        self._page = VirtualLines(id="raw-response")
        self._width = 0

    def compose(self) -> ComposeResult:
        """The page alone."""
        yield Dialog(
            self._page,
            title=visible_line(self._id),
            keys="↑↓ PgUp PgDn scroll   c copy   Esc close",
        )

    def on_mount(self) -> None:
        """The page has the keys."""
        self._page.focus()

    def on_resize(self) -> None:
        """Lines are broken for the width there is."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self._page.room
        if width and width != self._width:
            self._width = width
            self.run_worker(partial(self._make, width), group="raw", description="rows", exclusive=True)

    async def _make(self, width: int) -> None:
        rows = await asyncio.to_thread(lambda: wrap(json_rows(self._text, self._chars), width))
        self._page.replace(RowList(rows))

    def action_copy(self) -> None:
        """Put the whole object on the clipboard."""
        cast("Any", self).app.copy_to_clipboard(self._text, "the response object")

    def action_close(self) -> None:
        """Back to the list."""
        self.dismiss(None)
