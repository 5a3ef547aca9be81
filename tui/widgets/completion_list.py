"""The list of completions above the text area; its widget is made when it is first needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from tui.core.text import visible_line

if TYPE_CHECKING:
    from textual.widgets import OptionList

    from tui.widgets.completion import Completion
    from tui.widgets.composer import Composer

__all__ = ["CompletionList"]

_WIDEST_LABEL = 48


class CompletionList:
    """What is offered, and which line is chosen.

    Attributes:
        completions: What is offered; empty while the list is closed.
    """

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._widget: OptionList | None = None
        self._offered_for = ""
        self.completions: Sequence[Completion] = ()

    def show(self, completions: Sequence[Completion], typed: str) -> None:
        """Offer these for what is typed; nothing, and what is there already, close the list."""
        self.completions = completions
        self._offered_for = typed
        if not completions or [completion.text for completion in completions] == [typed]:
            self.close()
            return
        width = min(_WIDEST_LABEL, max(len(completion.label) for completion in completions[:20])) + 2
        widget = self._the_widget()
        widget.clear_options()
        widget.add_options([_line(completion, width) for completion in completions])
        widget.highlighted = 0
        widget.add_class("-open")
        self._composer.input.popup_open = True

    def close(self) -> None:
        """Offer nothing."""
        self.completions = ()
        if self._widget is not None:
            self._widget.remove_class("-open")
        self._composer.input.popup_open = False

    def chosen(self) -> Completion | None:
        """The line under the cursor, if it is for what stands in the text area now."""
        index = self._widget.highlighted if self._widget is not None else None
        if not self.completions or index is None or index >= len(self.completions):
            return None
        if self._offered_for != self._composer.input.text:
            return None  # a folder is still being read: the list is for what stood here before
        return self.completions[index]

    def move(self, key: str) -> None:
        """Move the cursor by a key's name."""
        widget = self._the_widget()
        match key:
            case "up":
                widget.action_cursor_up()
            case "down":
                widget.action_cursor_down()
            case "pageup":
                widget.action_page_up()
            case _:
                widget.action_page_down()

    def _the_widget(self) -> OptionList:
        if self._widget is None:
            from tui.widgets.completion_options import CompletionOptions

            self._widget = CompletionOptions()
            self._composer.mount(self._widget, before=0)
        return self._widget


def _line(completion: Completion, width: int) -> Content:
    label = visible_line(completion.label)
    label = label if len(label) <= width - 2 else f"…{label[-(width - 3) :]}"
    return Content.assemble((label.ljust(width), ""), (completion.detail, "dim"))
