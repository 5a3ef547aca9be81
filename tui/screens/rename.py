"""Another title for a conversation."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog

__all__ = ["RenameScreen"]


class RenameScreen(ModalScreen[str | None]):
    """Gives the title, empty for the automatic one, or `None` where nothing is to change.

    Args (of the constructor):
        title: The title as it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close")
    ]
    DEFAULT_CSS = """
    RenameScreen {
        align: center middle;
        & Dialog { width: 72; max-width: 90%; height: auto; padding: 1 2; }
        & Static { height: auto; margin-top: 1; color: $text-muted; }
    }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """The title, and what an empty one means."""
        yield Dialog(
            Input(self._title, placeholder="Title", id="rename-title", max_length=200),
            Static(Content("Empty: the first words of the first prompt.")),
            title="Title of this conversation",
            keys="Enter keeps it   Esc cancels",
        )

    def on_mount(self) -> None:
        """Typing replaces the old title, an arrow key goes on from it."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)
