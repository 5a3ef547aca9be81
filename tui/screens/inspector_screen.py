"""The inspector as a full screen, for terminals too narrow to hold it beside the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.core.continuation import LeftOut
from tui.core.exchange import Exchange
from tui.core.text import visible_line
from tui.screens.base import Screen
from tui.screens.inspector_actions import RequestActions
from tui.widgets.inspector import Inspector

__all__ = ["InspectorScreen"]


class InspectorScreen(RequestActions, Screen[None]):
    """Shows exchanges until the user closes it; keep them fresh through `inspector`.

    Attributes:
        inspector: The widget, for `show_exchanges` and `refresh_live`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, id="inspector.close")
    ]
    DEFAULT_CSS = """
    InspectorScreen {
        background: $surface;
        & #inspector-screen-title { height: 1; padding: 0 1; background: $primary-background; color: $text; }
        & Inspector { height: 1fr; }
    }
    """

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        *,
        title: str = "",
        left_out: Mapping[str, Sequence[LeftOut]] | None = None,
        max_display_chars: int | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self.inspector = Inspector()
        if max_display_chars is not None:
            self.inspector.max_display_chars = max_display_chars
        self.inspector.show_exchanges(exchanges, left_out)

    def compose(self) -> ComposeResult:
        """A line that says where one is, and the inspector."""
        name = visible_line(self._title)
        yield Static(
            f"Inspector  ·  {name}" if name else "Inspector", id="inspector-screen-title", markup=False
        )
        yield self.inspector

    def on_mount(self) -> None:
        """The list has the focus."""
        self.inspector.focus()

    def on_inspector_closed(self) -> None:
        """Back to the conversation."""
        self.dismiss(None)

    def action_close(self) -> None:
        """Back to the conversation."""
        self.dismiss(None)

    def action_toggle_inspector(self) -> None:
        """The key that opened it closes it."""
        self.dismiss(None)
