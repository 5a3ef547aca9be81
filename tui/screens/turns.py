"""The turns of a conversation's path: gone to, continued, edited, answered again; branches are walked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.core import figures
from tui.core.conversation import Conversation
from tui.core.errors import OutcropError
from tui.core.items import Outcome, Turn
from tui.core.text import visible_line
from tui.screens.turn_blocks import attachment_lines
from tui.widgets.columns import Cell, Column, TableTitles, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Mark, Row
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["TurnChoice", "TurnLine", "TurnTable", "TurnsScreen", "turn_lines"]

_COLUMNS: Final = (
    Column("number", "turn", 4, 5, 0, right=True),
    Column("branch", "branch", 6, 7, 0),
    Column("prompt", "prompt", 20, 90, 0),
    Column("outcome", "ended", 10, 10, 1),
    Column("mode", "sent", 9, 9, 2),
    Column("input", "in", 5, 5, 3, right=True),
    Column("output", "out", 5, 5, 3, right=True),
    Column("model", "model", 14, 24, 4),
)
_OUTCOMES: Final[dict[Outcome | None, tuple[str, Mark]]] = {
    Outcome.COMPLETED: ("completed", "success"),
    Outcome.INCOMPLETE: ("incomplete", "warning"),
    Outcome.CANCELLED: ("stopped", "warning"),
    Outcome.FAILED: ("failed", "error"),
    None: ("running", "accent"),
}
_LONGEST: Final = 400
"""Characters of a prompt that a line keeps."""

Action = Literal["jump", "fork", "edit", "again"]


@dataclass(frozen=True, slots=True)
class TurnChoice:
    """What is to be done with which turn; `None` is the turn that would be sent next."""

    action: Action
    turn_id: str | None


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn as it stands in the list.

    Attributes:
        turn: The turn; `None` for the one that would be sent next, where a branch begins.
        number: Its place on the path, counted from 1.
        branch: Which of several branches it begins, `2/3`; empty where the path does not part.
        prompt: The beginning of its prompt, one line.
        files: Name and size of each file sent with it.
    """

    turn: Turn | None
    number: int
    branch: str
    prompt: str
    files: tuple[str, ...] = ()


def turn_lines(conversation: Conversation) -> list[TurnLine]:
    """The lines of the path. Reads every prompt, and some are large: call it off the event loop."""
    marks = conversation.branch_marks()
    path = conversation.path()
    lines: list[TurnLine] = []
    for number, turn in enumerate(path, 1):
        words = " ".join(turn.prompt[: 4 * _LONGEST].split())[:_LONGEST]
        files = tuple(line for item in turn.input for line in attachment_lines(item))
        lines.append(TurnLine(turn, number, str(marks.get(turn.id, "")), words, files))
    if mark := marks.get(None):
        lines.append(TurnLine(None, len(path) + 1, str(mark), "what you send next"))
    return lines


class TurnTable:
    """The lines as rows."""

    def __init__(self, lines: Sequence[TurnLine] = ()) -> None:
        self.lines = lines

    def __len__(self) -> int:
        """How many lines."""
        return len(self.lines)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The turn at `index`."""
        line = self.lines[index]
        turn = line.turn
        usage = turn.usage if turn is not None else None
        words, mark = _OUTCOMES[turn.outcome] if turn is not None else ("", "dim")
        prompt: Cell = (line.prompt or (", ".join(line.files) if line.files else ""), None)
        if turn is None or turn.summary:
            prompt = (f"summary: {line.prompt}" if turn is not None else line.prompt, "dim")
            words = "" if turn is not None else words
        cells: dict[str, Cell] = {
            "number": (str(line.number), "number"),
            "branch": (line.branch, "accent"),
            "prompt": prompt,
            "outcome": (words, mark),
            "mode": (turn.continuation if turn is not None else "", "key"),
            "input": (figures.count(usage.input_tokens) if usage else "", "number"),
            "output": (figures.count(usage.output_tokens) if usage else "", "number"),
            "model": (turn.target.model if turn is not None and turn.target else "", "dim"),
        }
        return table_row(layout(_COLUMNS, width), cells)


class TurnsScreen(ModalScreen[TurnChoice | None]):
    """Gives what is to be done, or `None`.

    Args (of the constructor):
        conversation: As it is now.
        why_not: Says why the path cannot be changed at the moment; empty when it can.
        walk: Makes a turn the tip and gives the conversation as it is then.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f4", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("f", "take('fork')", "Continue from here", show=False, id="turns.fork"),
        Binding("e", "take('edit')", "Edit", show=False, id="turns.edit"),
        Binding("r", "take('again')", "Answer once more", show=False, id="turns.again"),
        # First, as the list would scroll sideways.
        Binding("left,h", "walk(-1)", "Branch before", show=False, priority=True, id="turns.branch_before"),
        Binding("right,l", "walk(1)", "Branch after", show=False, priority=True, id="turns.branch_after"),
    ]
    DEFAULT_CSS = """
    TurnsScreen { align: center middle; }
    TurnsScreen #turns-empty { display: none; }
    TurnsScreen.-empty #turns-empty { display: block; }
    TurnsScreen.-empty VirtualLines, TurnsScreen.-empty TableTitles { display: none; }
    """

    def __init__(
        self,
        conversation: Conversation,
        why_not: Callable[[], str],
        walk: Callable[[str], Awaitable[Conversation]],
    ) -> None:
        super().__init__()
        self._conversation = conversation
        self._why_not = why_not
        self._walk_to = walk
        self._table = TurnTable()
        self._list = VirtualLines(cursor=True, id="turns-list")
        self._titles = TableTitles(lambda width: self._table.titles(width))

    def compose(self) -> ComposeResult:
        """The list and a line about the turn under the cursor."""
        yield Dialog(
            self._titles,
            self._list,
            Static(
                Content("Nothing was sent yet in this conversation."),
                id="turns-empty",
                classes="dialog--empty",
            ),
            Static("", id="turns-detail", classes="dialog--detail", markup=False),
            title="Turns",
            keys="Enter go   f go on   e edit   r again   ←→ branch   Esc close",
        )

    def on_mount(self) -> None:
        """The last turn is under the cursor."""
        self._list.focus()
        self._load(None)

    def _load(self, cursor: int | None) -> None:
        self.run_worker(
            partial(self._fill, cursor), group="turns", name="turns", description="list", exclusive=True
        )

    async def _fill(self, cursor: int | None) -> None:
        lines = await asyncio.to_thread(turn_lines, self._conversation)
        self._table = TurnTable(lines)
        self._list.show(self._table, cursor=len(lines) - 1 if cursor is None else cursor)
        self._titles.refresh()
        self.set_class(not lines, "-empty")
        self._describe()

    @property
    def _highlighted(self) -> TurnLine | None:
        index = self._list.cursor
        return None if index is None else self._table.lines[index]

    def _describe(self) -> None:
        line = self._highlighted
        if line is None:
            self._say("")
            return
        parts: list[str] = []
        if line.branch:
            parts.append(f"Branch {line.branch.replace('/', ' of ')} begins here; ← → walk to another.")
        if line.turn is None:
            parts.append("Nothing of the other branches is lost.")
        else:
            parts += [f"With {name}." for name in line.files]
            parts += [line.turn.error] if line.turn.error else []
            parts += [f"{_ended(line.turn)}"] if not parts else []
        self._say(" ".join(parts))

    def _say(self, text: str, style: str = "$text-muted") -> None:
        self.query_one("#turns-detail", Static).update(Content.styled(visible_line(text), style))

    @on(VirtualLines.Highlighted)
    def _moved(self, event: VirtualLines.Highlighted) -> None:
        event.stop()
        self._describe()

    @on(VirtualLines.Chosen)
    def _chosen(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self.action_take("jump")

    def action_take(self, action: Action) -> None:
        """Close and have this done with the turn under the cursor."""
        line = self._highlighted
        if line is None:
            return
        sentence = self._why_not() if action != "jump" else ""
        if sentence:
            self._say(sentence, "$text-warning")
        elif line.turn is not None:
            self.dismiss(TurnChoice(action, line.turn.id))
        elif action in ("jump", "fork"):
            self.dismiss(TurnChoice("jump", None))
        else:
            self._say("This turn is not sent yet.", "$text-warning")

    def action_walk(self, step: int) -> None:
        """Show the branch before or after the one that begins at the turn under the cursor."""
        line = self._highlighted
        if line is None:
            return
        if sentence := self._why_not():
            self._say(sentence, "$text-warning")
        elif not line.branch:
            self._say("The path does not part here; the branch column says where it does.", "$text-warning")
        else:
            tip = self._conversation.beside(line.turn.id if line.turn is not None else None, step)
            if tip is None:
                side = "before" if step < 0 else "after"
                self._say(f"There is no branch {side} this one.", "$text-warning")
            else:
                self.run_worker(
                    partial(self._walk, tip, line.number - 1),
                    group="walk",
                    name="walk",
                    description="walk to another branch",
                    exclusive=True,
                )

    async def _walk(self, tip: str, cursor: int) -> None:
        try:
            self._conversation = await self._walk_to(tip)
        except OutcropError as error:
            self._say(str(error), "$text-error")
            return
        self._load(cursor)

    def action_cancel(self) -> None:
        """Do nothing more; a branch that was walked to stays."""
        self.dismiss(None)


def _ended(turn: Turn) -> str:
    """What there is to say of a turn without anything peculiar."""
    words = _OUTCOMES[turn.outcome][0].capitalize()
    usage = turn.usage
    if usage is None or usage.input_tokens is None:
        return f"{words}."
    cached = f", {usage.cached_tokens:,} of them cached" if usage.cached_tokens else ""
    out = figures.UNKNOWN if usage.output_tokens is None else f"{usage.output_tokens:,}"
    return f"{words}; {usage.input_tokens:,} tokens in{cached}, {out} out."
