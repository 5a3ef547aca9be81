"""Where a link leads, and whether to open it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from tui.screens.base import ModalScreen
from tui.terminal.open_link import Link
from tui.widgets.dialog import Dialog

__all__ = ["LinkDialog"]


class LinkDialog(ModalScreen[str]):
    """Gives `open`, `copy` or nothing; the careful answer has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer('')", "Leave it", show=False, id="link.leave"),
        Binding("y", "answer('open')", "Open it", show=False, id="link.yes"),
        Binding("c", "answer('copy')", "Copy the address", show=False, id="link.copy"),
        Binding("left,up", "app.focus_previous", "Other answer", show=False, id="link.previous"),
        Binding("right,down", "app.focus_next", "Other answer", show=False, id="link.next"),
    ]
    DEFAULT_CSS = """
    LinkDialog {
        align: center middle;
        & Dialog { width: 76; max-width: 90%; height: auto; max-height: 80%; padding: 1 2; }
        & Static { height: auto; padding-bottom: 1; }
        & .link--address { color: $text-primary; max-height: 10; }
        & .link--place { color: $text-muted; }
        & .link--caution { color: $text-warning; }
        & Horizontal { height: auto; align-horizontal: right; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def compose(self) -> ComposeResult:
        """The whole address, where it leads, what to mind, and the answers."""
        link = self._link
        lines = [Static(Content(link.href), classes="link--address")]
        if link.refusal:
            lines.append(Static(Content(link.refusal), classes="link--caution"))
        else:
            lines.append(Static(Content(f"It leads to {link.place}."), classes="link--place"))
        if link.caution:
            lines.append(Static(Content(link.caution), classes="link--caution"))
        answers = [
            Button("Leave it", id="link-leave", compact=True),
            Button("Copy it", id="link-copy", compact=True),
        ]
        if not link.refusal:
            answers.append(Button("Open it", id="link-open", variant="primary", compact=True))
        yield Dialog(
            *lines,
            Horizontal(*answers),
            title="This link is not opened" if link.refusal else "Open this link?",
            keys="c copies · Esc" if link.refusal else "y / n · c copies",
        )

    def on_mount(self) -> None:
        """Enter leaves it."""
        self.query_one("#link-leave", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_answer((event.button.id or "").removeprefix("link-"))

    def action_answer(self, answer: str) -> None:
        """Answer with a key."""
        if answer != "open" or not self._link.refusal:
            self.dismiss("" if answer == "leave" else answer)
