"""One line: a name, and the values it may have; left and right choose, so does a click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui.core.text import visible_line

__all__ = ["LABEL_WIDTH", "ChoiceLine"]

LABEL_WIDTH = 15
"""Cells of the name in front."""


class ChoiceLine(Widget, can_focus=True):
    """A choice among a few values.

    Args (of the constructor):
        label: The name in front.
        options: `(value, words)` in order; foreign words are made safe here.
        value: The value chosen at first; one that is not among the options is added and marked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Before", show=False, id="choice.before"),
        Binding("right,l,space", "step(1)", "After", show=False, id="choice.after"),
        Binding("home", "step(-1000)", "First", show=False, id="choice.first"),
        Binding("end", "step(1000)", "Last", show=False, id="choice.last"),
        Binding("up", "app.focus_previous", "Line above", show=False, id="choice.line_above"),
        Binding("down,enter", "app.focus_next", "Line below", show=False, id="choice.line_below"),
    ]
    DEFAULT_CSS = """
    ChoiceLine { height: 1; padding: 0 1; background: $surface; color: $text-muted; }
    ChoiceLine:focus { background: $panel; color: $foreground; }
    ChoiceLine:hover { background: $panel; }
    """

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, line: ChoiceLine, value: str) -> None:
            super().__init__()
            self.line = line
            self.value = value

        @property
        def control(self) -> ChoiceLine:
            """The line."""
            return self.line

    def __init__(
        self, label: str, options: Sequence[tuple[str, str]], value: str, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.label = label
        self._options: list[tuple[str, str]] = []
        self._value = value
        self._places: list[tuple[int, int, int]] = []
        self.set_options(options)

    @property
    def value(self) -> str:
        """What is chosen."""
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        self._value = value
        self.refresh()

    def set_options(self, options: Sequence[tuple[str, str]]) -> None:
        """Offer other values; a chosen one that is not among them stays, marked as not taken."""
        self._options = list(options)
        if self._value not in [value for value, _ in options]:
            self._options.append((self._value, f"{self._value} (not taken)"))
        self.refresh()

    def render(self) -> Content:
        """The name and as many values as there is room for, the chosen one always among them."""
        width = self.content_size.width - LABEL_WIDTH
        texts = [
            f"{'●' if value == self._value else ' '} {visible_line(words)}" for value, words in self._options
        ]
        cells = [Content(text).cell_length for text in texts]
        chosen = [value for value, _ in self._options].index(self._value)
        first = 0
        # From the first value on; from a later one where the chosen one would not be in sight.
        while first < chosen and sum(cells[first : chosen + 1]) + chosen - first + 4 > width:
            first += 1
        content = Content.styled(self.label.ljust(LABEL_WIDTH - 2), "bold" if self.has_focus else "")
        content += Content("‹ " if first else "  ")
        self._places.clear()
        for index in range(first, len(texts)):
            start = content.cell_length
            if (
                start + cells[index] + (2 if index < len(texts) - 1 else 0) > width + LABEL_WIDTH
                and index > chosen
            ):
                content += Content("›")
                break
            style = "bold $text-primary" if index == chosen else ""
            content += Content.styled(texts[index], style) + Content(" ")
            self._places.append((start, start + cells[index], index))
        return content

    def action_step(self, step: int) -> None:
        """Choose the value so many places further on."""
        values = [value for value, _ in self._options]
        self._choose(max(0, min(len(values) - 1, values.index(self._value) + step)))

    def on_click(self, event: events.Click) -> None:
        """Choose what is under the pointer."""
        event.stop()
        column = event.x - self.styles.padding.left
        for start, end, index in self._places:
            if start <= column < end:
                self._choose(index)

    def _choose(self, index: int) -> None:
        value = self._options[index][0]
        if value != self._value:
            self.value = value
            self.post_message(self.Changed(self, value))
