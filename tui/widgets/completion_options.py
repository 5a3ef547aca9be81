"""The widget of the list of completions."""

from __future__ import annotations

from typing import cast

from textual.widgets import OptionList

from tui.widgets.composer import Composer

__all__ = ["CompletionOptions"]


class CompletionOptions(OptionList, can_focus=False):
    """Lines to choose from while the keys stay with the text area."""

    DEFAULT_CSS = """
    CompletionOptions {
        display: none;
        height: auto;
        max-height: 9;
        border: none;
        border-left: outer $secondary;
        background: $panel;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        scrollbar-background: $panel;
        &.-open { display: block; }
        &:focus { border: none; border-left: outer $secondary; }
    }
    """

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A line was clicked: take it."""
        event.stop()
        self.highlighted = event.option_index
        cast("Composer", self.parent).completion_clicked()
