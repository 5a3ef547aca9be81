"""Lines under the conversation while it is read or searched: which turn this is, and what is looked for."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.core.text import visible_line

__all__ = ["FindLine", "ReadingLine"]

_HINTS = (
    ("y", "copy"),
    ("v", "select"),
    ("c", "code"),
    ("/", "find"),
    ("[ ]", "turns"),
    ("i", "about"),
)


class ReadingLine(Widget):
    """One line while the conversation has the keys: where the cursor is, and the keys worth knowing."""

    DEFAULT_CSS = """
    ReadingLine {
        height: 1;
        padding: 0 2;
        display: none;
        color: $text-muted;
        background: $panel;
        &.-any { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._where = ""
        self._here = ("", "")
        self._selecting = False

    @property
    def text(self) -> str:
        """What it says now, as drawn."""
        return self.render().plain

    def show(self, where: str, here: tuple[str, str] = ("", ""), *, selecting: bool = False) -> None:
        """Show where the cursor is.

        Args:
            where: The turn, in a few words.
            here: A key and what it does to what is under the cursor, before the other hints.
            selecting: Whether something is selected.
        """
        if (where, here, selecting) != (self._where, self._here, self._selecting):
            self._where, self._here, self._selecting = visible_line(where), here, selecting
            self.refresh()
        self.add_class("-any")

    def hide(self) -> None:
        """Show nothing."""
        self.remove_class("-any")

    def render(self) -> Content:
        """What there is room for: the mode, the way out, where this is, then hints."""
        room = self.content_size.width
        name = Content.styled("SELECT" if self._selecting else "READ", "bold $text-accent")
        leave = Content.assemble(("Esc", "$text-accent"), " back")
        line = Content.assemble(name, "  ", (self._where, "$foreground"))
        hints: list[Content] = []
        for key, words in [self._here, *_HINTS] if self._here[0] else _HINTS:
            hint = Content.assemble((key, "$text-accent"), f" {words}   ")
            if line.cell_length + sum(one.cell_length for one in hints) + hint.cell_length + 11 > room:
                break
            if key not in {str(one.plain.split(" ")[0]) for one in hints}:
                hints.append(hint)
        right = Content.assemble(*hints, leave)
        if line.cell_length + right.cell_length + 2 > room:
            line = line.truncate(max(0, room - right.cell_length - 2), ellipsis=True)
        gap = max(1, room - line.cell_length - right.cell_length)
        return Content.assemble(line, " " * gap, right)


class FindLine(Horizontal):
    """A line to type what is looked for, with the count of hits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,ctrl+f", "step(1)", "Next hit", show=False, id="find.line_next"),
        Binding("shift+enter,up", "step(-1)", "Hit before", show=False, id="find.line_previous"),
        Binding("escape", "close", "Close", show=False, id="find.line_close"),
    ]
    DEFAULT_CSS = """
    FindLine {
        height: 1;
        padding: 0 2;
        display: none;
        background: $panel;
        &.-any { display: block; }
        & > .find--name { width: auto; color: $text-accent; text-style: bold; padding: 0 1 0 0; }
        & > Input {
            width: 1fr;
            height: 1;
            border: none;
            padding: 0;
            background: $panel;
        }
        & > Input:focus { border: none; }
        & > .find--count { width: auto; color: $text-muted; padding: 0 0 0 2; }
    }
    """

    class Typed(Message):
        """Other words are to be looked for."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Stepped(Message):
        """Go to the next hit (1) or the one before (-1)."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Closed(Message):
        """Escape was pressed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.input = Input(placeholder="words in this conversation", compact=True, select_on_focus=True)
        self._count = Static("", classes="find--count", markup=False)
        self._said = ""
        self._place = self._total = 0
        self._done = True

    def compose(self) -> ComposeResult:
        """The name, what is typed, the count."""
        yield Static("FIND", classes="find--name")
        yield self.input
        yield self._count

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-any")

    @property
    def words(self) -> str:
        """What is looked for."""
        return self.input.value

    @property
    def count(self) -> str:
        """The count as it is shown, with the keys."""
        return self._said

    def open(self, words: str | None = None) -> None:
        """Show it; with words, look for these."""
        self.add_class("-any")
        if words is not None:
            self.input.value = words
        self.input.focus()

    def close(self) -> None:
        """Put it away; what was looked for is kept for the next time."""
        self.remove_class("-any")

    def show_count(self, place: int, total: int, *, done: bool) -> None:
        """Say which hit this is, and of how many."""
        self._place, self._total, self._done = place, total, done
        if not self.words.strip():
            said = "Esc closes"
        elif not total:
            said = "no hit" if done else "looking …"
        else:
            more = "" if done else "+"
            said = f"{place:,} of {total:,}{more}" if place else f"{total:,}{more} hits"
            said += "  ↓ ↑ go on · Esc closes" if self.size.width >= 60 else ""
        if said != self._said:
            self._said = said
            self._count.update(Content(said))
        self.set_class(done and not total and bool(self.words.strip()), "-none")

    def on_resize(self) -> None:
        """The keys are told where there is room; the first count may come before the line has any width."""
        self.show_count(self._place, self._total, done=self._done)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_step(1)

    def on_click(self, event: events.Click) -> None:
        """A click anywhere goes on typing."""
        event.stop()
        self.input.focus()

    def action_step(self, by: int) -> None:
        """Go to another hit."""
        self.post_message(self.Stepped(by))

    def action_close(self) -> None:
        """Close."""
        self.post_message(self.Closed())
