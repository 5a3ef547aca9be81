"""The long pastes of the prompt, one chip each, above the text area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.core.text import visible_line
from tui.widgets.paste_marks import sign_of

__all__ = ["PasteChip", "PasteChips", "paste_words"]

_LONGEST = 28


def paste_words(text: str) -> str:
    """How much a paste is: `42 lines · 1,824 characters`, or the characters alone for one line."""
    lines = text.rstrip("\n").count("\n") + 1
    characters = f"{len(text):,} character{'s' if len(text) != 1 else ''}"
    return f"{lines:,} lines · {characters}" if lines > 1 else characters


class PasteChip(Static, can_focus=True):
    """One paste: Enter or a click opens it, Delete removes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False, id="chip.open"),
        Binding("delete,backspace", "remove", "Remove", show=False, id="chip.remove"),
        Binding("left", "app.focus_previous", "Previous", show=False, id="chip.before"),
        Binding("right", "app.focus_next", "Next", show=False, id="chip.after"),
    ]

    class Opened(Message):
        """The paste is to be opened."""

        def __init__(self, mark: str) -> None:
            super().__init__()
            self.mark = mark

    class Removed(Message):
        """The paste is to go."""

        def __init__(self, mark: str) -> None:
            super().__init__()
            self.mark = mark

    def __init__(self, mark: str, number: int, text: str) -> None:
        first = visible_line(next((line.strip() for line in text.split("\n") if line.strip()), ""))
        first = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
        super().__init__(
            Content.assemble(
                (f"{sign_of(number)} ", "bold $secondary"),
                (paste_words(text), "bold"),
                (f"  {first}  ", "dim"),
                ("×", "bold"),
            ),
            markup=False,
        )
        self.mark = mark

    def action_open(self) -> None:
        """Ask for this paste to be opened."""
        self.post_message(self.Opened(self.mark))

    def action_remove(self) -> None:
        """Ask for this paste to go."""
        self.post_message(self.Removed(self.mark))

    def on_click(self, event: events.Click) -> None:
        """A click on the cross removes; anywhere else it opens."""
        event.stop()
        if event.x >= self.size.width - 3:
            self.action_remove()
        else:
            self.action_open()


class PasteChips(HorizontalScroll, can_focus=False):
    """A row of chips; not there while it is empty."""

    DEFAULT_CSS = """
    PasteChips {
        height: auto;
        display: none;
        scrollbar-size-horizontal: 0;
        &.-any { display: block; }
        & > PasteChip {
            width: auto;
            height: 1;
            margin: 0 1 0 0;
            padding: 0 1;
            background: $panel;
            color: $foreground;
            &:hover { background: $panel-lighten-1; }
            &:focus { background: $primary; color: $background; text-style: bold; }
        }
    }
    """

    async def show(self, pastes: Sequence[tuple[str, int, str]]) -> None:
        """Replace the chips by those of these pastes: mark, number, text."""
        await self.remove_children()
        self.set_class(bool(pastes), "-any")
        if pastes:
            await self.mount_all([PasteChip(*paste) for paste in pastes])
