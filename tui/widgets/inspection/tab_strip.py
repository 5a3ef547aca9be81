"""A row of tabs in one line, with a hint to its right where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content, Span
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

__all__ = ["TabStrip"]


class TabStrip(Widget):
    """Numbered tabs; a click chooses one. Keys are the owner's."""

    DEFAULT_CSS = """
    TabStrip {
        height: 1;
        background: $panel;
        color: $text-muted;
        & > .tab-strip--active {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: bold;
        }
        & > .tab-strip--hint { color: $text-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-strip--active", "tab-strip--hint"}

    active: reactive[int] = reactive(0)
    hint: reactive[str] = reactive("")

    class Activated(Message):
        """A tab was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = list(titles)
        self._labels: list[str] = []

    def render(self) -> Content:
        """The tabs, with as many signs around them as fit, then the hint if all of it fits."""
        forms = (
            [f" {number} {title} " for number, title in enumerate(self._titles, 1)],
            [f" {title} " for title in self._titles],
            [f"{title} " for title in self._titles],
        )
        self._labels = next((form for form in forms if cell_len("".join(form)) <= self.size.width), forms[2])
        text = "".join(self._labels)
        start = sum(len(label) for label in self._labels[: self.active])
        active = self.get_visual_style("tab-strip--active")
        spans = [Span(start, start + len(self._labels[self.active]), active)]
        room = self.size.width - cell_len(text) - 1
        hint = next((line for line in self.hint.split("\n") if cell_len(line) + 2 <= room), "")
        if hint:
            text += " " * (room - cell_len(hint)) + hint
        return Content(text, spans=spans)

    def on_click(self, event: events.Click) -> None:
        """Find the tab under the mouse."""
        end = 0
        for index, label in enumerate(self._labels):
            end += cell_len(label)
            if event.x < end:
                self.post_message(self.Activated(index))
                return
