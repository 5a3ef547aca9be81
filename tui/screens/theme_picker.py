"""Choose a theme by looking at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.core.text import visible_line
from tui.screens.base import ModalScreen

__all__ = ["ThemePicker"]


class ThemePicker(ModalScreen[str | None]):
    """The theme under the cursor is worn at once; gives its name, or `None` where Escape took it off."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close")
    ]
    DEFAULT_CSS = """
    ThemePicker {
        align: right middle;
        background: transparent;
        & > Vertical {
            width: 34;
            height: auto;
            max-height: 100%;
            margin: 1 2;
            padding: 1 2;
            background: $panel;
            border: round $primary;
            border-title-color: $text-primary;
        }
        & OptionList {
            height: auto;
            max-height: 16;
            border: none;
            background: $panel;
            padding: 0;
            scrollbar-size-vertical: 1;
            scrollbar-background: $panel;
        }
        & OptionList:focus { border: none; background-tint: transparent; }
        & Static { color: $text-muted; padding-top: 1; }
    }
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = list(names)
        self._before = ""

    @property
    def _wearer(self) -> App[object]:
        return cast("App[object]", cast("Any", self).app)

    def compose(self) -> ComposeResult:
        """The names, and what the keys do."""
        with Vertical() as box:
            box.border_title = "Theme"
            yield OptionList(*(Option(Content(visible_line(name))) for name in self._names))
            yield Static("Enter keeps it · Esc undoes", markup=False)

    def on_mount(self) -> None:
        """The theme that is worn is under the cursor."""
        self._before = self._wearer.theme
        choices = self.query_one(OptionList)
        choices.highlighted = self._names.index(self._before) if self._before in self._names else 0
        choices.focus()

    @on(OptionList.OptionHighlighted)
    def _look(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._wearer.theme = self._names[event.option_index]

    @on(OptionList.OptionSelected)
    def _keep(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._names[event.option_index])

    def action_cancel(self) -> None:
        """Wear what was worn before."""
        self._wearer.theme = self._before
        self.dismiss(None)
