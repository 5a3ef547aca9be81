"""The turns of a conversation's path: gone to, continued, edited, answered again; branches are walked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import time
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.core import figures
from tui.core.conversation import Conversation
from tui.core.errors import OutcropError
from tui.core.items import Turn
from tui.screens.list_dialog import ListDialog
from tui.screens.turn_table import (
    OUTCOMES,
    TurnLine,
    TurnTable,
    TurnWords,
    find_lines,
    is_large,
    turn_lines,
)
from tui.widgets.rows import Row

if TYPE_CHECKING:
    from textual.worker import Worker

__all__ = ["TurnChoice", "TurnsScreen"]

_PAUSE: Final = 0.12
"""Seconds after a key before the search runs."""


Action = Literal["jump", "fork", "edit", "again", "delete"]


@dataclass(frozen=True, slots=True)
class TurnChoice:
    """What is to be done with which turn; `None` is the turn that would be sent next."""

    action: Action
    turn_id: str | None


class TurnsScreen(ListDialog[TurnChoice | None]):
    """Gives what is to be done, or `None`.

    Args (of the constructor):
        conversation: As it is now.
        why_not: Says why the path cannot be changed at the moment; empty when it can.
        walk: Makes a turn the tip and gives the conversation as it is then.
        now: The clock, seconds since the epoch.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f4", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("f", "take('fork')", "Continue from here", show=False, id="turns.fork"),
        Binding("e", "take('edit')", "Edit", show=False, id="turns.edit"),
        Binding("r", "take('again')", "Answer once more", show=False, id="turns.again"),
        Binding("delete,ctrl+d", "take('delete')", "Delete the branch", show=False, id="turns.delete"),
        Binding("slash,ctrl+f", "search", "Search", show=False, id="turns.search"),
        # First, as the list would scroll sideways.
        Binding("left,h", "walk(-1)", "Branch before", show=False, priority=True, id="turns.branch_before"),
        Binding("right,l", "walk(1)", "Branch after", show=False, priority=True, id="turns.branch_after"),
    ]
    NAME = "turns"
    DEFAULT_CSS = "TurnsScreen.-nothing Input { display: none; }"

    def __init__(
        self,
        conversation: Conversation,
        why_not: Callable[[], str],
        walk: Callable[[str], Awaitable[Conversation]],
        now: Callable[[], float] = time,
    ) -> None:
        super().__init__()
        self._now = now
        self._all: Sequence[TurnLine] = ()
        self._words: dict[str, TurnWords] = {}
        self._searching: Worker[None] | None = None
        self._conversation = conversation
        self._why_not = why_not
        self._walk_to = walk
        self._table = TurnTable()

    def compose(self) -> ComposeResult:
        """The search, the list and a line about the turn under the cursor."""
        yield self._framed(
            Input(placeholder="/ searches prompts and answers", id="turns-search", select_on_focus=False),
            title="Turns",
            keys="Enter go  f go on  e edit  r again  ←→ branch  Del delete  / search",
        )

    def _titles_row(self, width: int) -> Row:
        return self._table.titles(width)

    def on_mount(self) -> None:
        """The last turn is under the cursor."""
        self._list.focus()
        self._load(None)

    def _load(self, cursor: int | None) -> None:
        """List the path anew, with the cursor on this turn of it, counted from 0; the last by default."""
        self._all = turn_lines(self._conversation)
        self.set_class(not self._all, "-nothing")
        self._find(0.0, len(self._all) - 1 if cursor is None else cursor)
        if any(line.turn is not None and is_large(line.turn) for line in self._all):
            self.run_worker(self._read_large, group="turns-large", description="large turns", exclusive=True)

    def _find(self, pause: float, wanted: int) -> None:
        text = self.query_one(Input).value.strip()
        if self._searching is not None:
            self._searching.cancel()
        if text:
            self._searching = self.run_worker(
                partial(self._search, text, pause, wanted), group="turns", name="turns", description="search"
            )
        else:
            self._show(self._all, wanted)

    async def _search(self, text: str, pause: float, wanted: int) -> None:
        await asyncio.sleep(pause)
        self._show(await asyncio.to_thread(find_lines, self._all, text), wanted)

    def _show(self, lines: Sequence[TurnLine], wanted: int) -> None:
        self._table = TurnTable(lines, self._words, self._now())
        # The turn itself where it is listed, else the one that came before it.
        before = [index for index, line in enumerate(lines) if line.number <= wanted + 1]
        nothing = (
            "No turn of this path holds that." if self._all else "Nothing was sent yet in this conversation."
        )
        self._show_rows(self._table, before[-1] if before else 0, nothing)
        self._describe()

    async def _read_large(self) -> None:
        for line in reversed(self._all):
            turn = line.turn
            if turn is not None and turn.id not in self._words and is_large(turn):
                self._words[turn.id] = await asyncio.to_thread(TurnWords.of, turn)
                self._list.refresh()
        self._describe()

    @on(Input.Changed, "#turns-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        line = self._highlighted
        self._find(_PAUSE, len(self._all) - 1 if line is None else line.number - 1)

    @on(Input.Submitted, "#turns-search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._list.focus()

    def action_search(self) -> None:
        """Type what is looked for; Enter goes back to the list."""
        if self._all:
            self.query_one(Input).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, arrows and Delete are the text's."""
        return not (action in ("walk", "take") and isinstance(self.focused, Input))

    def on_key(self, event: events.Key) -> None:
        """From the search, Down goes on to the list."""
        if event.key == "down" and isinstance(self.focused, Input):
            event.stop()
            self._list.focus()

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
            parts += [f"With {name}." for name in self._table.words(line).files]
            parts += [line.turn.error] if line.turn.error else []
            parts.append(_ended(line.turn, self._now()))
        self._say(" ".join(parts))

    def _choose(self) -> None:
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
        """End the search; then do nothing more: a branch that was walked to stays."""
        search = self.query_one(Input)
        if search.value:
            search.value = ""
            self._list.focus()
        elif search.has_focus:
            self._list.focus()
        else:
            self.dismiss(None)


def _ended(turn: Turn, now: float) -> str:
    """When a turn was sent, to which model, how it ended, how long it took and what it came to."""
    parts = [figures.when(turn.created_at, now)]
    if turn.target is not None:
        parts.append(turn.target.model)
    took = f" after {figures.seconds(turn.ended_at - turn.created_at)}" if turn.ended_at is not None else ""
    parts.append(f"{OUTCOMES[turn.outcome][0]}{took}")
    usage = turn.usage
    if usage is not None and usage.input_tokens is not None:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        out = figures.UNKNOWN if usage.output_tokens is None else f"{usage.output_tokens:,}"
        parts.append(f"{usage.input_tokens:,} tokens in{cached}, {out} out")
    line = " · ".join(parts)
    return f"{line[0].upper()}{line[1:]}"
