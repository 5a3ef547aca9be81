"""The frame of a dialog: the same for all of them."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

__all__ = ["Dialog"]


class Dialog(Vertical):
    """A framed box with a title; what it holds is given, its size is the screen's CSS."""

    DEFAULT_CSS = """
    Dialog {
        width: 1fr;
        height: 1fr;
        max-width: 140;
        max-height: 44;
        margin: 1 4 2 4;
        padding: 0 1;
        background: $surface;
        border: round $primary;
        border-title-color: $text-primary;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        & Input {
            height: 1;
            border: none;
            padding: 0 1;
            background: $panel;
        }
        & Input:focus { border: none; }
        & VirtualLines { height: 1fr; background: $surface; }
        & .dialog--detail { height: auto; max-height: 5; padding: 0 1; border-top: solid $panel; }
        & TableTitles { background: $surface; }
        & .dialog--empty { height: 1fr; padding: 1 2; color: $text-muted; }
    }
    /* Where there is little room a dialog takes all of it: strips of what is below would only disturb. */
    .-narrow Dialog, .-low Dialog { margin: 0; }
    """

    def __init__(self, *children: Widget, title: str, keys: str = "", id: str | None = None) -> None:
        super().__init__(*children, id=id)
        # As Content: what the text says is never markup.
        self.border_title = Content(title)
        self.border_subtitle = Content(keys)
