"""A long paste, opened: to be read, changed, or put into the prompt as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static, TextArea

from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.paste_chips import paste_words
from tui.widgets.safe_text_area import SafeTextArea

__all__ = ["PasteChange", "PasteScreen"]


@dataclass(frozen=True, slots=True)
class PasteChange:
    """What is to become of the paste.

    Attributes:
        text: As it was changed; an empty one removes it.
        expand: Whether it is to stand in the prompt as text, not as a chip.
    """

    text: str
    expand: bool = False


class PasteScreen(ModalScreen[PasteChange | None]):
    """Gives what is to become of the text, or `None` to leave it as it is.

    Args (of the constructor):
        text: Safe for a terminal.
        title: Of the dialog.
        chip: Whether it can be expanded, as a paste can and a queued prompt cannot.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "discard", "Leave it as it is", show=False, id="dialog.close"),
        Binding("ctrl+s", "keep", "Keep the changes", show=False, priority=True, id="paste.keep"),
        Binding("ctrl+o", "expand", "Put it into the prompt", show=False, priority=True, id="paste.expand"),
    ]
    DEFAULT_CSS = """
    PasteScreen {
        align: center middle;
        & Dialog { max-width: 120; }
        & TextArea {
            height: 1fr;
            min-height: 3;
            border: none;
            padding: 0 1;
            background: $panel;
            scrollbar-size-vertical: 1;
            scrollbar-background: $panel;
        }
        & TextArea:focus { border: none; background: $surface-lighten-1; }
        & #paste-about { height: 1; padding: 0 1; color: $text-muted; }
        & Horizontal { height: 1; align-horizontal: right; margin-top: 1; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, text: str, *, title: str = "Long paste", chip: bool = True) -> None:
        super().__init__()
        self._chip = chip
        self._title = title
        self._area = SafeTextArea(
            text,
            id="paste-text",
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=chip,
            highlight_cursor_line=False,
        )

    def compose(self) -> ComposeResult:
        """The text, how much it is, and the answers."""
        buttons = [
            Button(Content("Remove" if self._chip else "Take out"), id="paste-remove", compact=True),
            Button(Content("Put into the prompt"), id="paste-expand", compact=True),
            Button(Content("Keep"), id="paste-keep", variant="primary", compact=True),
        ]
        if not self._chip:
            del buttons[1]
        keys = (
            "Ctrl+S keep   Ctrl+O into the prompt   Esc cancel" if self._chip else "Ctrl+S keep   Esc cancel"
        )
        yield Dialog(
            self._area,
            Static("", id="paste-about", markup=False),
            Horizontal(*buttons),
            title=self._title,
            keys=keys,
        )

    def on_mount(self) -> None:
        """The keys go to the text."""
        self._area.focus()
        self._count()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._count()

    def _count(self) -> None:
        words = paste_words(self._area.text) if self._area.text else "Empty: nothing of it is sent"
        self.query_one("#paste-about", Static).update(Content(words))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "paste-keep":
                self.action_keep()
            case "paste-expand":
                self.action_expand()
            case _:
                self.dismiss(PasteChange(""))

    def action_keep(self) -> None:
        """Take the text as it is now."""
        self.dismiss(PasteChange(self._area.text))

    def action_expand(self) -> None:
        """Have the text stand in the prompt itself."""
        if self._chip:
            self.dismiss(PasteChange(self._area.text, expand=True))

    def action_discard(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)
