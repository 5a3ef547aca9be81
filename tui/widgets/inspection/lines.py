"""The inspector's lines: one to type in, and the hints of what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

__all__ = ["EntryLine", "Hint", "HintLine"]

Hint = tuple[str, str, str]
"""A key, what it does in a word, and the action."""


class EntryLine(Horizontal):
    """A named line to type in, with what came of it at its end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "done(1)", "Next hit, or done", show=False, id="inspector.line_done"),
        Binding("down", "done(1)", "Next hit, or done", show=False, id="inspector.line_next"),
        Binding("shift+enter,up", "done(-1)", "Hit before", show=False, id="inspector.line_before"),
        Binding("escape", "leave", "Leave the line", show=False, id="inspector.line_close"),
    ]
    DEFAULT_CSS = """
    EntryLine {
        height: 1;
        padding: 0 1;
        display: none;
        background: $panel;
        &.-any { display: block; }
        & > .entry--name { width: auto; color: $text-accent; text-style: bold; padding: 0 1 0 0; }
        & > Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
        & > Input:focus { border: none; }
        & > .entry--said { width: auto; color: $text-muted; padding: 0 0 0 2; }
    }
    """

    class Typed(Message):
        """The text changed."""

        def __init__(self, line: EntryLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

        @property
        def control(self) -> EntryLine:
            """The line."""
            return self.line

    class Done(Message):
        """Enter was pressed (1), or the key for the one before (-1)."""

        def __init__(self, line: EntryLine, by: int) -> None:
            super().__init__()
            self.line = line
            self.by = by

        @property
        def control(self) -> EntryLine:
            """The line."""
            return self.line

    class Left(Message):
        """Escape was pressed."""

        def __init__(self, line: EntryLine) -> None:
            super().__init__()
            self.line = line

        @property
        def control(self) -> EntryLine:
            """The line."""
            return self.line

    def __init__(self, name: str, placeholder: str, *, id: str) -> None:
        super().__init__(id=id)
        self.input = Input(placeholder=placeholder, compact=True, select_on_focus=False)
        self._title = name
        self._said = Static("", classes="entry--said", markup=False)

    def compose(self) -> ComposeResult:
        """The name, what is typed, what came of it."""
        yield Static(self._title, classes="entry--name", markup=False)
        yield self.input
        yield self._said

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-any")

    def open(self, text: str | None = None) -> None:
        """Show it and type in it; with a text, that one."""
        self.add_class("-any")
        if text is not None:
            self.input.value = text
        self.input.cursor_position = len(self.input.value)
        self.input.focus()

    def close(self) -> None:
        """Put it away."""
        self.remove_class("-any")

    def say(self, words: str) -> None:
        """Say what came of it."""
        self._said.update(Content(words))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_done(1)

    def action_done(self, by: int) -> None:
        """Say that the line is done, or that another hit is wanted."""
        self.post_message(self.Done(self, by))

    def action_leave(self) -> None:
        """Say that the line is to go."""
        self.post_message(self.Left(self))

    def on_click(self, event: events.Click) -> None:
        """A click anywhere goes on typing."""
        event.stop()
        self.input.focus()


class HintLine(Widget):
    """Keys and what they do; a click does it."""

    DEFAULT_CSS = """
    HintLine { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    """

    class Wanted(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._hints: Sequence[Hint] = ()
        self._drawn: list[tuple[int, int, str]] = []

    def show(self, hints: Sequence[Hint]) -> None:
        """Show these, as many as there is room for; the last one always."""
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render(self) -> Content:
        """Those that fit."""
        room = self.content_size.width
        *others, last = self._hints or [("", "", "")]
        need = cell_len(f"{last[0]} {last[1]}")
        parts: list[str | tuple[str, str]] = []
        self._drawn = []
        at = 0
        for key, words, action in [*others, last]:
            width = cell_len(f"{key} {words}")
            if action != last[2] and at + width + 3 + need > room:
                continue
            self._drawn.append((at, at + width, action))
            parts += [(key, "$text-accent"), f" {words}   "]
            at += width + 3
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Do what the hint under the mouse says."""
        offset = event.get_content_offset(self)
        for start, end, action in self._drawn:
            if offset is not None and start <= offset.x < end:
                event.stop()
                self.post_message(self.Wanted(action))
                return
